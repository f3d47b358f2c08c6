"""Where readers of tars differ it is read as runtimes do that unpack it, or a package could be hidden in between.

What is expected here is what ``archive/tar`` of Go 1.26 says of the same bytes.
"""

from __future__ import annotations

import pytest

from anchorecli.layers import LayerRead
from tests.layers.reading import Keeper, read

USTAR, GNU = b"ustar\x0000", b"ustar  \0"


def header(name: bytes, *, size: bytes | int = 0, flag: bytes = b"0", magic: bytes = USTAR, **fields: bytes) -> bytes:
    """A header of these bytes, its checksum right; ``fields``: link, prefix, times, end."""
    number = size if isinstance(size, bytes) else b"%011o\0" % size
    head = name.ljust(100, b"\0") + b"0000644\0" + b"0000000\0" * 2 + number + b"%011o\0" % 0 + b" " * 8 + flag
    head += fields.get("link", b"").ljust(100, b"\0") + magic + bytes(80)
    head = (head + fields.get("prefix", b"")).ljust(508, b"\0") + fields.get("end", b"").ljust(4, b"\0")
    return head[:148] + b"%06o\0 " % sum(head) + head[156:]


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 512)


def long_name(name: bytes, flag: bytes = b"L") -> bytes:
    return header(b"././@LongLink", size=len(name), flag=flag, magic=GNU) + padded(name)


def pax(*pairs: tuple[bytes, bytes], flag: bytes = b"x") -> bytes:
    records = b""
    for key, value in pairs:
        body = b" " + key + b"=" + value + b"\n"
        length = next(n for n in range(len(body), len(body) + 6) if len(b"%d" % n) + len(body) == n)
        records += b"%d" % length + body
    return header(b"PaxHeaders", size=len(records), flag=flag) + padded(records)


def walked(tar: bytes) -> tuple[LayerRead, dict[str, bytes]]:
    keeper = Keeper()
    return read(tar + bytes(1024), keeper=keeper), keeper.seen


@pytest.mark.parametrize(
    ("before", "entry", "path"),
    [
        (long_name(b"etc/os-release\0hidden\0"), header(b"x"), "etc/os-release"),
        (pax((b"path", b"hidden"), flag=b"g"), header(b"etc/os-release"), "etc/os-release"),
        (pax((b"path", b"hidden")) + long_name(b"etc/os-release\0"), header(b"x"), "etc/os-release"),
        (long_name(b"etc/os-release\0") + pax((b"path", b"hidden")), header(b"x"), "etc/os-release"),
        (pax((b"GNU.sparse.name", b"hidden")), header(b"etc/os-release"), "etc/os-release"),
        (pax((b"GNU.sparse.name", b"hidden"), (b"GNU.sparse.map", b"")), header(b"etc/os-release"), "etc/os-release"),
        (long_name(b"hidden\0") + pax(flag=b"g"), header(b"etc/os-release"), "etc/os-release"),
        (pax((b"path", b"hidden")) + pax(flag=b"g"), header(b"etc/os-release"), "etc/os-release"),
        (b"", header(b"os-release", magic=GNU, prefix=b"etc"), "etc/os-release"),
        (b"", header(b"os-release", magic=GNU, prefix=b"12345670123\x0012345670123"), "os-release"),
        (b"", header(b"os-release", magic=GNU, prefix=b"00000 \x00000"), "00000 /os-release"),
        (b"", header(b"os-release", magic=GNU, prefix=b"\xffetc"), "os-release"),
        (b"", header(b"os-release", prefix=b"p" * 131 + b"00000000001\0" * 2, end=b"tar\0"), "p" * 131 + "/os-release"),
        (b"", header(b"os-release", prefix=b"p" * 136), "p" * 136 + "/os-release"),
        (b"", header(b"", prefix=b"etc/os-release"), "etc/os-release"),
    ],
)  # fmt: skip
def test_the_name_that_counts(before: bytes, entry: bytes, path: str) -> None:
    result, _ = walked(before + entry)
    assert result.complete
    assert result.index.paths == [path]


def test_a_regular_file_with_a_slash_behind_its_name_has_its_content() -> None:
    result, seen = walked(header(b"etc/os-release/", size=3) + padded(b"ID="))
    assert result.complete
    assert seen == {"etc/os-release": b"ID="}
    old, _ = walked(header(b"etc/", flag=b"\0", size=3) + header(b"after"))
    assert (old.index.paths, old.index.kinds[:1]) == (["etc", "after"], ["d"])


def test_a_twelfth_digit_of_a_size_counts() -> None:
    result, seen = walked(header(b"a", size=b"000000001000") + b"x" * 512 + header(b"b"))
    assert result.complete
    assert seen == {"a": b"x" * 512, "b": b""}


def test_a_number_may_stand_behind_zeros() -> None:
    name = long_name(b"etc/os-release\0").replace(b"%011o\0" % 15, b"\0\0\0\0\0\0\0\0\0" + b"17\0")
    changed = name[:148] + b"%06o\0 " % (sum(name[:148]) + 8 * 32 + sum(name[156:512])) + name[156:]
    result, _ = walked(changed + header(b"x"))
    assert result.index.paths == ["etc/os-release"]


def test_an_entry_behind_an_extension_has_to_be_one() -> None:
    result, _ = walked(long_name(b"etc/os-release\0") + b"no header".ljust(512, b"\0"))
    assert not result.complete
    assert "checksum" in result.problems[0].message


def test_the_target_of_a_link_ends_with_its_first_zero() -> None:
    result, _ = walked(long_name(b"target\0hidden\0", b"K") + header(b"link", flag=b"2", link=b"x"))
    assert result.index.targets == {0: "target"}


@pytest.mark.parametrize(
    "size", [b"-1\0\0\0\0\0\0\0\0\0\0", b"        -1 \0", b"1_0\0\0\0\0\0\0\0\0\0", b"0o17\0\0\0\0\0\0\0\0"]
)
def test_what_is_no_number_ends_the_layer(size: bytes) -> None:
    result, _ = walked(header(b"a", size=size))
    assert not result.complete
    assert "is not a number" in result.problems[0].message


@pytest.mark.parametrize("key", [b"path", b"linkpath", b"GNU.sparse.name"])
def test_a_zero_in_a_pax_path_ends_the_layer(key: bytes) -> None:
    result, _ = walked(pax((key, b"a\0b")) + header(b"a"))
    assert not result.complete
    assert "with a zero in it" in result.problems[0].message
