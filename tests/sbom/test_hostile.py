"""Documents that are no documents, or that were made to hurt."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anchorecli.analyzers.os.sboms import SbomAnalyzer
from anchorecli.errors import IntegrityError, LimitError, NotFoundError, SourceError
from anchorecli.model import ImageRef
from anchorecli.report import formats
from anchorecli.report.base import RenderOptions
from anchorecli.sbom import cyclonedx_xml, document, read_sbom
from anchorecli.sbom.document import contents_of
from anchorecli.sbom.packages import assembled
from anchorecli.scan.analysis import inventory
from tests.analyzers.view import MemoryFile
from tests.report import samples
from tests.sbom.reading import cyclonedx, library, messages, only, read

FORMATS = ("cyclonedx-json", "cyclonedx-xml", "spdx-json", "spdx-tv", "syft-json")
SMALL = inventory(samples.clean_report().analysis, samples.NOW)
DOCUMENTS = {name: formats("sbom")[name].render(SMALL, RenderOptions()).encode() for name in FORMATS}


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", SourceError),
        (b"hello", SourceError),
        (b"{}", SourceError),
        (b"[]", SourceError),
        (b'{"artifacts": 1, "schema": {}}', SourceError),
        (b'{"bomFormat": "CycloneDX"', IntegrityError),
        (b"<a/>", SourceError),
        (b"<bom xmlns='http://cyclonedx.org/schema/bom/1.4'>", IntegrityError),
        (b"<?xml version='1.0'?>", IntegrityError),
        (b"[" * 200_000, SourceError),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, SourceError),
        (b'{"a": 1' + b"0" * 10_000 + b"}", IntegrityError),
        (b"\x1f\x8b\x08broken", IntegrityError),
        (b"\xff\xfe{\x00", IntegrityError),
    ],
)
def test_what_is_no_sbom_is_a_clear_error(data: bytes, error: type[SourceError], tmp_path: Path) -> None:
    with pytest.raises(error) as caught:
        read(data, tmp_path)
    assert "bom" in caught.value.message
    assert len(caught.value.message) < 400


def test_a_file_that_is_not_there_or_cannot_be_read(tmp_path: Path) -> None:
    for path, error in ((tmp_path / "none", NotFoundError), (tmp_path, SourceError)):
        with pytest.raises(error):
            read_sbom(ImageRef("sbom", str(path), path=str(path)))


def test_a_document_may_be_compressed_and_not_a_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = json.dumps(cyclonedx(library("x", "1", "pkg:npm/x@1"))).encode()
    assert only(read(gzip.compress(text), tmp_path)).name == "x"
    monkeypatch.setattr(document, "MAX_BYTES", 1 << 20)
    with pytest.raises(SourceError, match="more than 1 MiB"):
        read(gzip.compress(b" " * (2 << 20)), tmp_path)
    with pytest.raises(SourceError, match="more than 1 MiB"):
        read(b"{" + b" " * (2 << 20), tmp_path)


def test_objects_are_counted_before_they_are_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "MAX_OBJECTS", 100)
    with pytest.raises(SourceError, match="more than 100 objects"):
        read(b'{"components": [' + b"[]," * 200 + b"[]]}", tmp_path)


LAUGHS = """<?xml version="1.0"?>
<!DOCTYPE bom [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c SYSTEM "file:///etc/hostname">]>
<bom xmlns="http://cyclonedx.org/schema/bom/1.4"><components><component type="library"><name>{entity}</name>
</component></components></bom>"""


@pytest.mark.parametrize("entity", ["&b;", "&c;", "x"])
def test_a_document_type_is_refused(entity: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="document type"):
        read(LAUGHS.format(entity=entity), tmp_path)


def test_xml_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start = b"<bom xmlns='http://cyclonedx.org/schema/bom/1.4'>"
    with pytest.raises(SourceError, match="over 200 levels"):
        read(start + b"<components>" * 1000, tmp_path)
    nested = b"<components><component type='library'>" * 90 + b"</component></components>" * 90
    assert read(start + nested + b"</bom>", tmp_path).packages == ()
    monkeypatch.setattr(cyclonedx_xml, "MAX_ELEMENTS", 50)
    with pytest.raises(SourceError, match="more than 50 elements"):
        read(start + b"<a/>" * 100 + b"</bom>", tmp_path)


def test_components_nested_as_deep_as_json_goes_are_read(tmp_path: Path) -> None:
    component: dict[str, Any] = library("x", "1", "pkg:npm/x@1")
    for number in range(150):
        component = library(f"x{number}", "1", f"pkg:npm/x{number}@1", components=[component])
    assert len(read(cyclonedx(component), tmp_path).packages) == 151


def test_what_claims_to_be_in_a_statement_is_looked_at(tmp_path: Path) -> None:
    inner = cyclonedx(library("x", "1", "pkg:npm/x@1"))
    assert only(read({"_type": "x", "predicate": inner}, tmp_path)).name == "x"
    assert only(read({"_type": "x", "predicate": {"Data": inner}}, tmp_path)).name == "x"


def _parsed(data: bytes) -> None:
    try:
        assembled(contents_of("bom", data))
    except SourceError:
        pass


@pytest.mark.parametrize("name", FORMATS)
def test_no_truncation_is_more_than_an_error(name: str) -> None:
    data = DOCUMENTS[name]
    for length in range(0, len(data), max(1, len(data) // 400)):
        _parsed(data[:length])


@pytest.mark.parametrize("name", FORMATS)
def test_no_damage_is_more_than_an_error(name: str) -> None:
    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.tuples(st.integers(0, len(DOCUMENTS[name]) - 1), st.integers(0, 255)), max_size=8))
    def check(changes: list[tuple[int, int]]) -> None:
        data = bytearray(DOCUMENTS[name])
        for place, byte in changes:
            data[place] = byte
        _parsed(bytes(data))

    check()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def _shapes(value: Any, replacement: Any, at: list[int]) -> Any:
    """The same document with one of its values replaced."""
    at[0] -= 1
    if at[0] == 0:
        return replacement
    if isinstance(value, dict):
        return {key: _shapes(each, replacement, at) for key, each in value.items()}
    return [_shapes(each, replacement, at) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", ["cyclonedx-json", "spdx-json", "syft-json"])
def test_no_value_of_another_kind_is_more_than_an_error(name: str) -> None:
    whole = json.loads(DOCUMENTS[name])

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.integers(1, 250), JSON)
    def check(place: int, replacement: Any) -> None:
        _parsed(json.dumps(_shapes(whole, replacement, [place])).encode())

    check()


@pytest.mark.parametrize(
    "make",
    [
        lambda count: cyclonedx(*[library("x", "1", "pkg:npm/x@1", **{"bom-ref": "same"}) for _ in range(count)]),
        lambda count: cyclonedx(library("x" * count, "1" * count, "pkg:npm/" + "x" * count)),
        lambda count: cyclonedx(library("x", "1", "pkg:npm/x@1?" + "&".join(["a=b"] * count))),
        lambda count: cyclonedx(library("x", "1", "pkg:npm/x@1", licenses=[{"expression": "(" * count}])),
    ],
)
def test_large_values_take_no_more_than_their_share(make: Callable[[int], Any], tmp_path: Path) -> None:
    analysis = read(make(20_000), tmp_path)
    assert len(analysis.packages) <= 1
    assert all(len(problem.message) < 500 for problem in analysis.problems)


@pytest.mark.parametrize("encoding", ["U-F-8", "UTF-7", "shift-jis", "idna"])
def test_an_encoding_nobody_knows_is_damage(encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?>\n<bom xmlns="http://cyclonedx.org/schema/bom/1.6"/>'.encode()
    with pytest.raises(IntegrityError, match="damaged"):
        contents_of("bom", text)


def test_names_that_are_no_text_are_cleaned_and_endless_ones_left_out(tmp_path: Path) -> None:
    odd = library("a\x7f\x1b", "1\x01", "pkg:npm/a%7F@1%01")
    long = library("b", "1" * 2000, "pkg:npm/b")
    analysis = read(cyclonedx(odd, long, library("c", "2", "pkg:npm/c@2")), tmp_path)
    assert [(each.name, each.version) for each in analysis.packages] == [("a\ufffd", "1\ufffd"), ("c", "2")]
    assert analysis.packages[0].purl == "pkg:npm/a%EF%BF%BD@1%EF%BF%BD"
    told = messages(analysis)
    assert any("no text" in each and "\\x7f" in each for each in told)
    assert any("more than 1000 characters" in each for each in told)


def test_a_layer_is_known_by_a_digest_alone(tmp_path: Path) -> None:
    properties = [{"name": "anchore:layer:diff_id", "value": "nonsense"}]
    about = {"properties": [{"name": "anchore:layer:0:diff_id", "value": "sha256:xyz"}]}
    found = library("a", "1", "pkg:npm/a@1", properties=properties)
    analysis = read(cyclonedx(found, metadata=about), tmp_path)
    assert only(analysis).layer == ""
    assert analysis.image.layers == ()


@pytest.mark.parametrize("part", ["<a{0}/>", '<a b{0}=""/>'])
def test_names_of_elements_and_attributes_are_bounded(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cyclonedx_xml, "MAX_NAMES", 50)
    start, end = '<bom xmlns="http://cyclonedx.org/schema/bom/1.5">', "</bom>"
    few = start + "".join(part.format(number % 40) for number in range(500)) + end
    cyclonedx_xml.parse(few.encode())
    many = start + "".join(part.format(number) for number in range(60)) + end
    with pytest.raises(SourceError, match="more than 50 names"):
        cyclonedx_xml.parse(many.encode())


def test_in_an_image_too_many_names_are_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cyclonedx_xml, "MAX_NAMES", 50)
    names = "".join(f"<a{number}/>" for number in range(60))
    data = f'<bom xmlns="http://cyclonedx.org/schema/bom/1.5">{names}</bom>'.encode()
    with pytest.raises(LimitError, match="more than 50 names"):
        SbomAnalyzer().read(MemoryFile("app/bom.xml", data))
