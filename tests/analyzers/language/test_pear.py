"""PEAR's registry: what PHP serialised, and what damage does."""

from __future__ import annotations

import random
from typing import Any

import pytest

from anchorecli.analyzers.language.pear import Pear, read_registry
from tests.analyzers.view import MemoryFile, make_view


def serialised(value: Any) -> bytes:
    """What PHP's ``serialize`` makes of strings, numbers, None and arrays (dictionaries and lists)."""
    if value is None:
        return b"N;"
    if isinstance(value, bool):
        return b"b:%d;" % value
    if isinstance(value, int):
        return b"i:%d;" % value
    if isinstance(value, float):
        return f"d:{value};".encode()
    if isinstance(value, str):
        raw = value.encode()
        return b's:%d:"%s";' % (len(raw), raw)
    pairs = list(enumerate(value)) if isinstance(value, list) else list(value.items())
    return b"a:%d:{%s}" % (len(pairs), b"".join(serialised(key) + serialised(item) for key, item in pairs))


REDIS = serialised({
    "attribs": {"version": "2.0"},
    "name": "redis",
    "channel": "pecl.php.net",
    "lead": [{"name": "A \u00e9", "active": True}, {"name": "B"}],
    "version": {"release": "6.0.2", "api": "6.0.2"},
    "license": {"attribs": {"uri": "http://x"}, "_content": "PHP"},
    "contents": {"dir": {"file": []}},
    "empty": None,
    "size": 1.5,
})  # fmt: skip
OLD = serialised({"package": "Old_Thing", "version": "1.4.2", "release_license": "BSD-3-Clause", "filelist": {}})


def test_an_extension_of_pecl_and_a_package_of_the_old_form() -> None:
    view = make_view(Pear(), [{
        "usr/local/lib/php/.registry/.channel.pecl.php.net/redis.reg": REDIS,
        "usr/share/php/.registry/old_thing.reg": OLD,
        "usr/share/php/.channels/pecl.php.net.reg": OLD,
    }])  # fmt: skip
    redis, old = Pear().assemble(view).packages
    assert redis.purl == "pkg:pear/pecl.php.net/redis@6.0.2"
    assert (redis.licenses, redis.scheme) == (("PHP",), "composer")
    assert old.purl == "pkg:pear/pear.php.net/Old_Thing@1.4.2"
    assert old.licenses == ("BSD-3-Clause",)


def test_the_channel_of_the_old_form_is_told_by_the_path() -> None:
    view = make_view(Pear(), [{"usr/share/php/.registry/.channel.pecl.php.net/old_thing.reg": OLD}])
    (old,) = Pear().assemble(view).packages
    assert old.purl == "pkg:pear/pecl.php.net/Old_Thing@1.4.2"


@pytest.mark.parametrize("data", [b"", b"text", b's:3:"abc";', b"a:1:{", b"a:999999999:{}", b"a:-1:{}", b"N;", b"i:5;"])
def test_what_php_did_not_serialise_is_told(data: bytes) -> None:
    view = make_view(Pear(), [{"php/.registry/a.reg": data}])
    assert not list(view.facts())
    assert [problem.subject for problem in view.read_problems] == ["php/.registry/a.reg"]


def test_arrays_nested_absurdly_end() -> None:
    with pytest.raises(ValueError, match="inside each other"):
        read_registry(b"a:1:{i:0;" * 100_000)


def test_no_truncation_and_no_wrong_byte_makes_it_raise_anything_else() -> None:
    noise = random.Random(3)
    for end in range(len(REDIS)):
        Pear().read(MemoryFile("a.reg", REDIS[:end]))
    for _ in range(3000):
        data = bytearray(REDIS)
        for _ in range(noise.randint(1, 5)):
            data[noise.randrange(len(data))] = noise.randrange(256)
        Pear().read(MemoryFile("a.reg", bytes(data)))
