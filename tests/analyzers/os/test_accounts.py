"""Users and groups: what passwd, group and shadow say, and never a hash."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchorecli.analyzers.os.accounts import MAX_ROWS, AccountAnalyzer, password
from tests.analyzers.view import MemoryFile, make_view

PASSWD = """root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
app:x:1000:1000::/home/app:/bin/sh

open::1001:0::/:
old:$1$abcdefgh$0123456789012345678901:1002:7:::
+nis::::::
bad:x:no:0:::
short:x:3
"""
GROUP = "root:x:0:\nadm:x:4:app,old\napp:x:1000:\nbroken:x:-1:\n"
SHADOW = "root:$y$j9T$salt$hashhashhash:19000:0:99999:7:::\ndaemon:*:19000::::::\napp:!$6$salt$hashhash:1::::::\n"
HASHES = ("hashhash", "0123456789", "$y$", "$6$", "$1$")


def found(*layers: Mapping[str, str]) -> Any:
    analyzer = AccountAnalyzer()
    return analyzer.assemble(make_view(analyzer, layers))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("x", "x"), ("", "empty"), ("*", "none"), ("!", "none"), ("!!", "none"), ("!*", "none"), ("*LK*", "none"),
        ("*NP*AndMoreCharacters", "none"), ("$6$salt$hash.hash", "set"), ("abJnggxhB/yWI", "set"),
        ("!$6$salt$hash.hash", "locked"), ("!!$6$salt$hash.hash", "locked"),
    ],
)  # fmt: skip
def test_what_a_password_field_says(text: str, state: str) -> None:
    assert password(text) == state


def test_users_with_their_groups_and_how_they_log_in() -> None:
    told = found({"etc/passwd": PASSWD, "etc/group": GROUP, "etc/shadow": SHADOW})
    rows = [(each.name, each.uid, each.gid, each.shell, each.password, each.groups) for each in told.accounts]
    assert rows == [
        ("root", 0, 0, "/bin/bash", "set", ("root",)),
        ("daemon", 1, 1, "/usr/sbin/nologin", "none", ()),
        ("app", 1000, 1000, "/bin/sh", "locked", ("app", "adm")),
        ("open", 1001, 0, "", "empty", ("root",)),
        ("old", 1002, 7, "", "set", ("adm",)),
    ]
    assert [(each.name, each.gid, each.members) for each in told.groups] == [
        ("root", 0, ()), ("adm", 4, ("app", "old")), ("app", 1000, ()),
    ]  # fmt: skip


def test_no_hash_is_in_the_facts() -> None:
    for path, text in (("etc/passwd", PASSWD), ("etc/shadow", SHADOW)):
        fact = json.dumps(AccountAnalyzer().read(MemoryFile(path, text.encode())))
        assert not any(hashed in fact for hashed in HASHES)


def test_without_shadow_nothing_is_known_of_passwords() -> None:
    told = found({"etc/passwd": PASSWD})
    assert {each.name: each.password for each in told.accounts} == {
        "root": "unknown", "daemon": "unknown", "app": "unknown", "open": "empty", "old": "set",
    }  # fmt: skip
    assert found({"etc/passwd": "a:x:1:1::/:/bin/sh", "etc/shadow": "b:*:"}).accounts[0].password == "none"
    assert found({"etc/hostname": "x"}).accounts == ()


def test_each_entry_says_since_which_layer_it_is_as_it_is() -> None:
    first = {"etc/passwd": "root:x:0:0::/root:/bin/sh\napp:x:5:5::/:/bin/sh\n", "etc/group": "root:x:0:\n"}
    second = {"etc/passwd": "root:x:0:0::/root:/bin/sh\napp:x:6:5::/:/bin/sh\n"}
    third = {"etc/passwd": "root:x:0:0::/root:/bin/sh\napp:x:6:5::/:/bin/sh\nnew:x:7:7:::\n", "etc/group": "g:x:1:\n"}
    told = found(first, second, third)
    assert [(each.name, each.layer[-1]) for each in told.accounts] == [("root", "0"), ("app", "1"), ("new", "2")]
    assert [(each.name, each.layer[-1]) for each in told.groups] == [("g", "2")]


@given(st.text(max_size=300), st.sampled_from(["etc/passwd", "etc/group", "etc/shadow"]))
def test_any_text_is_read(text: str, path: str) -> None:
    rows = AccountAnalyzer().read(MemoryFile(path, text.encode("utf-8", "surrogatepass")))
    assert isinstance(rows, list)


def test_a_file_cut_at_any_byte_gives_whole_entries_before() -> None:
    for end in range(len(PASSWD)):
        told = found({"etc/passwd": PASSWD[:end]})
        assert len(told.accounts) <= PASSWD[:end].count("\n") + 1


def test_more_users_than_any_system_has_is_told() -> None:
    value = AccountAnalyzer().read(MemoryFile("etc/passwd", b"a:x:1:1:::\n" * (MAX_ROWS + 1)))
    assert f"more than {MAX_ROWS}" in value["limit"]
    assert len(value["value"]) == MAX_ROWS
