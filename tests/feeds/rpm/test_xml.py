"""XML read an element at a time, and what is refused."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest

from anchorecli.errors import LimitError
from anchorecli.feeds.rpm import xml
from anchorecli.feeds.rpm.xml import Node, elements


def wanted(text: str | bytes, tag: str = "a", size: int = 1 << 20) -> Iterator[Node]:
    stream = io.BytesIO(text.encode() if isinstance(text, str) else text)

    class Pieces:
        def read(self, count: int = -1, /) -> bytes:
            return stream.read(size)

    return elements(Pieces(), "r", frozenset({tag}))


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_elements_one_by_one(size: int) -> None:
    text = '<?xml version="1.0"?><n:r xmlns:n="x"><b><n:a id="1">t &amp; <c>u</c> v</n:a></b><a id="2"/><c/></n:r>'
    first, second = wanted(text, size=size)
    assert (first.get("id"), first.child("c").text, second.get("id"), second.get("no")) == ("1", "u", "2", "")
    assert first.text.split() == ["t", "&", "v"]
    assert [each.tag for each in first.all("c")] == ["c"]
    assert second.child("c").text == ""


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not XML: no element found"),
        ("junk", "not XML"),
        ("<r><a>", "cut off"),
        ("<r><a></b></r>", "mismatched tag"),
        ("<x><a/></x>", "its outermost element is 'x', not r"),
        ('{"a": 1}', "not XML"),
        ("<r/><r/>", "not XML"),
        (b"<r><a>\xff</a></r>", "not XML"),
        ('<?xml version="1.0" encoding="cp037"?><r/>', "encoding 'cp037'"),
        ('<!DOCTYPE r [<!ENTITY e "boo">]><r><a>&e;</a></r>', "document type"),
        ('<!DOCTYPE r SYSTEM "file:///etc/passwd"><r/>', "document type"),
        ("<r><a>&e;</a></r>", "undefined entity"),
    ],
)
def test_what_is_refused(text: str | bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        list(wanted(text))


def test_an_entity_bomb_never_expands() -> None:
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    with pytest.raises(ValueError, match="document type"):
        list(wanted(f'<!DOCTYPE r [<!ENTITY e0 "x">{levels}]><r><a>&e11;</a></r>'))


def test_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LimitError, match="deep"):
        list(wanted("<r>" + "<a>" * 100 + "</a>" * 100 + "</r>"))
    monkeypatch.setattr(xml, "MAX_ELEMENTS", 5)
    assert len(list(wanted("<r>" + "<a><b/><b/></a>" * 9 + "</r>"))) == 9
    with pytest.raises(LimitError, match="elements"):
        list(wanted("<r><a>" + "<b/>" * 9 + "</a></r>"))
    monkeypatch.setattr(xml, "MAX_TEXT", 5)
    with pytest.raises(LimitError, match="characters"):
        list(wanted("<r><a>123456</a></r>"))
