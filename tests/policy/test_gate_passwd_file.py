"""Gate passwd_file: what fires, what does not, with the ids and messages of Anchore Engine."""

from __future__ import annotations

import pytest

from anchorecli.errors import BundleError
from anchorecli.model import Demand, ImagePath, RetrievedFile, Status
from anchorecli.policy.language.parameters import Arguments
from anchorecli.policy.language.rules import find_gate

from .evidence import bundle, evidence, fired, messages, rule_line
from .facts import original, verdict
from .golden import Golden

PASSWD = b"""root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
toor:x:00:0::/root:
short:x:7

  ftp:x:14:50:FTP User:/var/ftp:/sbin/nologin  \r
app:x:999:998::/app:/bin/zsh
daemon:x:2:2:second:/:/bin/false
"""


def image(data):
    return evidence(facts={"retrieved": (RetrievedFile(ImagePath("etc/passwd"), data),)})


IMAGE = image(PASSWD)
WITHOUT = evidence(facts={"looked_for": {"retrieve": "etc/group\netc/passwd"}})
ROOT = "root:x:0:0:root:/root:/bin/bash"
TOOR = "toor:x:00:0::/root:"
FTP = "ftp:x:14:50:FTP User:/var/ftp:/sbin/nologin"
DAEMON = "daemon:x:2:2:second:/:/bin/false"
IN = "found in image's /etc/passwd: pentry="
MISSING = "Cannot locate /etc/passwd in image stored files archive: check analyzer settings."


def case(trigger, params, *fires, given=IMAGE):
    return Golden("passwd_file", trigger, given, params, tuple(("md5", message) for message in fires))


GOLDEN: tuple[Golden, ...] = (
    case("content_not_available", {}, MISSING, given=evidence()),
    case("content_not_available", {}, MISSING, given=WITHOUT),
    case("content_not_available", {}, MISSING, given=image(b"\n\n")),
    case("content_not_available", {}),
    case(
        "blacklist_usernames",
        {"user_names": "ftp, root,nobody"},
        f"Blacklisted user 'root' {IN}{ROOT}",
        f"Blacklisted user 'ftp' {IN}{FTP}",
    ),
    # Of two entries with one name the later is left.
    case("blacklist_usernames", {"user_names": ["daemon"]}, f"Blacklisted user 'daemon' {IN}{DAEMON}"),
    case("blacklist_usernames", {"user_names": "roo,nobody"}),
    case("blacklist_usernames", {"user_names": "root"}, given=WITHOUT),
    case("blacklist_userids", {"user_ids": "14,15"}, f"Blacklisted uid '14' {IN}{FTP}"),
    case(
        "blacklist_userids",
        {"user_ids": [0]},
        f"Blacklisted uid '0' {IN}{ROOT}",
        f"Blacklisted uid '00' {IN}{TOOR}",
    ),
    case("blacklist_userids", {"user_ids": "1,50"}),
    case("blacklist_groupids", {"group_ids": "50"}, f"Blacklisted gid '50' {IN}{FTP}"),
    case("blacklist_groupids", {"group_ids": "14,7"}),
    case("blacklist_shells", {"shells": "/bin/bash,/bin/dash"}, f"Blacklisted shell '/bin/bash' {IN}{ROOT}"),
    case("blacklist_shells", {"shells": "/bin/sh"}, f"Blacklisted shell '/bin/sh' {IN}{TOOR}"),
    case("blacklist_shells", {"shells": "/bin/dash,bash"}),
    case("blacklist_full_entry", {"entry": f" {FTP} "}, f"Blacklisted pentry '{FTP}' {IN}{FTP}"),
    case("blacklist_full_entry", {"entry": "ftp:x:14:50"}),
)


@pytest.mark.parametrize(
    ("trigger", "params"),
    [
        ("blacklist_usernames", {"user_names": "root"}),
        ("blacklist_userids", {"user_ids": "0"}),
        ("blacklist_groupids", {"group_ids": "0"}),
        ("blacklist_shells", {"shells": "/bin/sh"}),
        ("blacklist_full_entry", {"entry": "x"}),
    ],
)
def test_a_file_that_was_not_looked_for_is_no_silent_pass(trigger, params):
    found = verdict("passwd_file", trigger, evidence(), **params)
    assert (found.status, found.findings) == (Status.INDETERMINATE, ())
    assert (found.problems[0].subject, "the contents of /etc/passwd" in found.problems[0].message) == (
        f"passwd_file.{trigger}",
        True,
    )
    assert verdict("passwd_file", trigger, WITHOUT, **params).status is Status.PASS


def test_the_original_takes_an_empty_shell_as_it_stands():
    assert original("passwd_file", "blacklist_shells", IMAGE, shells="/bin/sh") == []


def test_old_and_new_names():
    expected = fired("passwd_file", "blacklist_usernames", IMAGE, user_names="ftp")
    assert fired("passwd_file", "blacklist_usernames", IMAGE, usernameblacklist="ftp") == expected
    assert fired("passwd_file", "denylist_usernames", IMAGE, user_names="ftp") == expected
    assert messages("passwd_file", "blacklist_userids", IMAGE, useridblacklist="14") == messages(
        "passwd_file", "denylist_userids", IMAGE, user_ids="14"
    )
    assert len(messages("passwd_file", "shellmatch", IMAGE, shells="/bin/bash")) == 1


def test_both_names_of_a_parameter_are_a_fault():
    with pytest.raises(BundleError, match='"usernameblacklist" is another name of "user_names"'):
        bundle(rule_line("passwd_file", "blacklist_usernames", user_names="a", usernameblacklist="b"))


def test_numbers_only():
    with pytest.raises(BundleError, match="must be a list of whole numbers"):
        bundle(rule_line("passwd_file", "blacklist_userids", user_ids="root"))


def test_every_trigger_has_the_file_fetched():
    for trigger in find_gate("passwd_file").triggers:
        assert trigger.demands(Arguments({})) == Demand(retrieve=("etc/passwd",))
        assert trigger.looks_at(IMAGE, Arguments({})) == "6 entries of /etc/passwd"
