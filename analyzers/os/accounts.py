"""Users and groups of the image, and whether a password lets them in; never a password's hash.

Format: passwd(5), group(5), shadow(5): fields with colons between them, a line each. A password field holds a hash,
``x`` (it stands in shadow), ``!`` before what is locked, or something that no hash can be (``*``).

Emits: users and groups, each with the layer since which its line has stood there as it is.

Not handled: users of other sources (nsswitch.conf: LDAP, systemd-userdb, ``/usr/lib/passwd`` of ostree), gshadow.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from anchorecli.analyzers.base import Fact, Found, LayerFile, View, Wants, partial
from anchorecli.analyzers.documents import text_lines, up_to
from anchorecli.analyzers.os.attribution import first_layers, written
from anchorecli.model import Account, DiffId, Group, Json, Password, Problem
from anchorecli.values import dataclass

PASSWD, GROUP, SHADOW = "etc/passwd", "etc/group", "etc/shadow"
MAX_BYTES = 8 * 1024 * 1024
MAX_ROWS = 20_000
MAX_MEMBERS = 100_000
"""Names of all groups together, and groups of all users."""
_FIELDS = 16
_MAX_ID = 0xFFFFFFFF
_SHORTEST_HASH = 13
"""crypt(5): what descrypt gives."""

_ELSEWHERE = "x"


@dataclass(frozen=True, slots=True)
class AccountAnalyzer:
    """Users and groups. A fact is the file's rows: (name, password, uid, gid, home, shell), (name, gid, members) or
    (name, password), where the password is one of the words above, or ``x``."""

    name: str = "accounts"
    version: int = 1
    options: str = ""
    wants: Wants = Wants(paths=frozenset({PASSWD, GROUP, SHADOW}), max_bytes=MAX_BYTES)

    def read(self, file: LayerFile) -> Json | None:
        """The rows of one file; lines that are none are left out."""
        hits: list[str] = []
        lines = up_to(text_lines(file.data()), hits)
        rows, left = [], MAX_MEMBERS
        for line in islice(lines, MAX_ROWS):
            row = _READERS[file.path](line.strip().split(":", _FIELDS))
            if row is not None and file.path == GROUP:
                left -= len(row[2])
                row[2] = row[2] if left >= 0 else []
            if row is not None:
                rows.append(row)
        if next(lines, None) is not None:
            hits.append(f"more than {MAX_ROWS} lines (a fixed limit)")
        if left < 0:
            hits.append(f"more than {MAX_MEMBERS} members of groups (a fixed limit)")
        return partial(rows, "", f"{'; '.join(hits)}; those before were kept") if hits else rows

    def assemble(self, view: View) -> Found:
        """The users with their groups."""
        groups, members = _groups(view)
        shadow = view.fact(SHADOW)
        hidden = {name: state for name, state in shadow.value} if shadow else None
        accounts, left = [], MAX_MEMBERS
        names = {group.gid: group.name for group in reversed(groups)}
        for (name, state, uid, gid, home, shell), layer in _rows(view, PASSWD):
            if state == _ELSEWHERE:
                state = Password.UNKNOWN if hidden is None else hidden.get(name, Password.NONE)
            own: dict[str, None] = {}
            if left >= 0:
                # Lines may say one name over and over.
                own = dict.fromkeys([*([names[gid]] if gid in names else []), *members.get(name, ())])
                left -= len(own)
            accounts.append(
                Account(name, uid, gid, home, shell, Password(state), tuple(own) if left >= 0 else (), layer)
            )
        return Found(accounts=tuple(accounts), groups=tuple(groups), problems=_untold(left))


def _untold(left: int) -> tuple[Problem, ...]:
    if left >= 0:
        return ()
    message = f"users with more than {MAX_MEMBERS} groups together (a fixed limit): those of the last are not told"
    return (Problem("analyze", PASSWD, message, "remove lines that say the same name again", cause="limit_hit"),)


def password(text: str) -> str:
    """What a password field says."""
    if text == _ELSEWHERE:
        return _ELSEWHERE
    if not text:
        return Password.EMPTY
    hashed = text.lstrip("!")
    if len(hashed) < _SHORTEST_HASH or hashed.startswith("*"):
        return Password.NONE
    return Password.LOCKED if text.startswith("!") else Password.SET


def _user(fields: list[str]) -> Json | None:
    if len(fields) < 4 or not fields[0] or (uid := _number(fields[2])) is None or (gid := _number(fields[3])) is None:
        return None
    home, shell = (*fields[5:7], "", "")[:2]
    return [fields[0], password(fields[1]), uid, gid, home, shell]


def _group(fields: list[str]) -> Json | None:
    if len(fields) < 3 or not fields[0] or (gid := _number(fields[2])) is None:
        return None
    return [fields[0], gid, [each for each in (fields[3].split(",") if len(fields) > 3 else ()) if each]]


def _shadowed(fields: list[str]) -> Json | None:
    if len(fields) < 2 or not fields[0]:
        return None
    state = password(fields[1])
    return [fields[0], Password.NONE if state == _ELSEWHERE else state]


_READERS = {PASSWD: _user, GROUP: _group, SHADOW: _shadowed}


def _number(text: str) -> int | None:
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 10 else -1
    return number if 0 <= number <= _MAX_ID else None


def _groups(view: View) -> tuple[list[Group], dict[str, list[str]]]:
    """The groups, and the names of those that name a user."""
    groups = [Group(name, gid, tuple(members), layer) for (name, gid, members), layer in _rows(view, GROUP)]
    named: dict[str, list[str]] = {}
    for group in groups:
        for member in group.members:
            named.setdefault(member, []).append(group.name)
    return groups, named


def _rows(view: View, path: str) -> Iterator[tuple[Json, DiffId]]:
    """The rows of the file at a path, each with the layer since which it has been there."""
    fact: Fact | None = view.fact(path)
    if fact is None:
        return
    layers = first_layers(view.history(fact.path), written)
    for row in fact.value:
        yield row, view.diff_id(layers.get(repr(row), fact.layer) if layers else fact.layer)
