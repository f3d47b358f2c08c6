"""Gate ``passwd_file``: users in the image's ``/etc/passwd``.

Format: passwd(5), seven fields with colons between them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from anchorecli.model import Demand, Problem
from anchorecli.policy.base import Evidence, Fire, Fires, Parameter, Trigger
from anchorecli.policy.facts.gathered import not_gathered
from anchorecli.policy.facts.retrieved import content, was_looked_for
from anchorecli.policy.language.parameters import Arguments

_PATH = "etc/passwd"
_UID, _GID, _SHELL = 2, 3, 6
_DEFAULT_SHELL = "/bin/sh"
"""passwd(5): what an empty last field stands for."""


def entries(evidence: Evidence) -> Mapping[str, tuple[str, ...]]:
    """The fields of each entry by user name; of two entries with one name the later, as Anchore Engine has it."""
    found: dict[str, tuple[str, ...]] = {}
    for line in (content(evidence, _PATH) or "").splitlines():
        fields = tuple(line.strip().split(":"))
        if fields != ("",):
            found[fields[0]] = fields
    return found


def _not_available(evidence: Evidence, _arguments: Arguments) -> Fires:
    if evidence.once(entries):
        return ()
    return (Fire("Cannot locate /etc/passwd in image stored files archive: check analyzer settings."),)


def _usernames(evidence: Evidence, arguments: Arguments) -> Iterator[Fire | Problem]:
    return _listed(evidence, arguments, _Field("usernames", "user_names", "user", 0))


def _userids(evidence: Evidence, arguments: Arguments) -> Iterator[Fire | Problem]:
    return _listed(evidence, arguments, _Field("userids", "user_ids", "uid", _UID))


def _groupids(evidence: Evidence, arguments: Arguments) -> Iterator[Fire | Problem]:
    return _listed(evidence, arguments, _Field("groupids", "group_ids", "gid", _GID))


def _shells(evidence: Evidence, arguments: Arguments) -> Iterator[Fire | Problem]:
    return _listed(evidence, arguments, _Field("shells", "shells", "shell", _SHELL))


def _full_entry(evidence: Evidence, arguments: Arguments) -> Iterator[Fire | Problem]:
    if not was_looked_for(evidence, _PATH):
        yield _missing("full_entry", arguments)
    wanted = arguments.text("entry").strip()
    for fields in evidence.once(entries).values():
        line = ":".join(fields)
        if line == wanted:
            yield Fire(f"Blacklisted pentry '{line}' found in image's /etc/passwd: pentry={line}")


class _Field(NamedTuple):
    """What one of the list triggers looks at."""

    trigger: str
    parameter: str
    word: str
    position: int


def _listed(evidence: Evidence, arguments: Arguments, field: _Field) -> Iterator[Fire | Problem]:
    if not was_looked_for(evidence, _PATH):
        yield _missing(field.trigger, arguments)
    listed = {_plain(word, field) for word in arguments.words(field.parameter)}
    for fields in evidence.once(entries).values():
        if field.position >= len(fields):
            continue
        value = fields[field.position]
        if field.position == _SHELL and not arguments.compat:
            value = value or _DEFAULT_SHELL
        if _plain(value, field) in listed:
            line = ":".join(fields)
            yield Fire(f"Blacklisted {field.word} '{value}' found in image's /etc/passwd: pentry={line}")


def _plain(value: str, field: _Field) -> str:
    """A number without leading zeros: ``00`` is root as well."""
    return value.lstrip("0") or "0" if field.position in (_UID, _GID) and value.isdigit() else value


def _missing(trigger: str, arguments: Arguments) -> Problem:
    return not_gathered(f"passwd_file.blacklist_{trigger}", arguments, "the contents of /etc/passwd")


def _demand(_arguments: Arguments) -> Demand:
    return Demand(retrieve=(_PATH,))


def _looked_at(evidence: Evidence, _arguments: Arguments) -> str:
    found = len(evidence.once(entries))
    return "1 entry of /etc/passwd" if found == 1 else f"{found} entries of /etc/passwd"


_TRIGGERS = (
    Trigger(
        "content_not_available",
        "The image has no /etc/passwd, or it holds no entry, or it was not looked for.",
        _not_available,
        demands=_demand,
        looks_at=_looked_at,
    ),
    Trigger(
        "blacklist_usernames",
        "A user of that name exists. Fires for each.",
        _usernames,
        (
            Parameter(
                "user_names",
                "strings",
                "User names that must not be there.",
                required=True,
                example="daemon,ftp",
                aliases=("usernameblacklist",),
            ),
        ),
        demands=_demand,
        looks_at=_looked_at,
    ),
    Trigger(
        "blacklist_userids",
        "A user with that number exists. Fires for each.",
        _userids,
        (
            Parameter(
                "user_ids",
                "numbers",
                "User numbers that must not be there.",
                required=True,
                example="0,1",
                aliases=("useridblacklist",),
            ),
        ),
        notes="A number written with leading zeros is the number.",
        demands=_demand,
        looks_at=_looked_at,
    ),
    Trigger(
        "blacklist_groupids",
        "A user has a group of that number as their own. Fires for each.",
        _groupids,
        (Parameter("group_ids", "numbers", "Group numbers that must not be there.", required=True, example="999,20"),),
        notes="A number written with leading zeros is the number.",
        demands=_demand,
        looks_at=_looked_at,
    ),
    Trigger(
        "blacklist_shells",
        "A user has that login shell. Fires for each.",
        _shells,
        (Parameter("shells", "strings", "Shells that must not be there.", required=True, example="/bin/bash"),),
        notes="An entry without a shell has /bin/sh, as passwd(5) says; the original compares the empty text.",
        aliases=("shellmatch",),
        demands=_demand,
        looks_at=_looked_at,
    ),
    Trigger(
        "blacklist_full_entry",
        "A whole line of /etc/passwd is there.",
        _full_entry,
        (
            Parameter(
                "entry",
                "string",
                "The line, all its fields.",
                required=True,
                example="ftp:x:14:50:FTP User:/var/ftp:/sbin/nologin",
            ),
        ),
        demands=_demand,
        looks_at=_looked_at,
    ),
)


class PasswdFileGate(NamedTuple):
    """The users of the image."""

    name: str = "passwd_file"
    description: str = "Users, groups and shells in the image's /etc/passwd; of two entries with one name the later."
    triggers: tuple[Trigger, ...] = _TRIGGERS
