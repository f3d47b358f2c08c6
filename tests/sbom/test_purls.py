"""Package URLs, held against the library where both read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packageurl import PackageURL

from anchorecli.sbom.purls import MAX_LENGTH, parse

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), min_size=1, max_size=12)


@pytest.mark.parametrize(
    "text",
    [
        "pkg:deb/debian/libc6@1%3A2.36-9%2Bdeb12u4?arch=amd64&distro=debian-12&upstream=glibc%402.36",
        "pkg:npm/%40babel/core@7.0.0",
        "pkg:golang/github.com/docker/docker@v24.0.7%2Bincompatible#client/x",
        "pkg:maven/org.apache/log4j-core@2.14.1?type=jar",
        "PKG:generic/x",
        "pkg:rpm/redhat/bash@5?epoch=1&rpmmod=a%3Ab",
        "pkg:oci/debian@sha256%3Aabc?repository_url=docker.io/library/debian",
        "pkg:pypi/x@1?a=&b=c",
        "pkg://gem/x@1",
    ],
)
def test_as_the_library_has_it(text: str) -> None:
    ours, theirs = parse(text), PackageURL.from_string(text.replace("PKG:", "pkg:"))
    assert ours is not None
    assert (ours.type, ours.namespace, ours.name, ours.version) == (
        theirs.type,
        theirs.namespace or "",
        theirs.name,
        theirs.version or "",
    )
    assert ours.qualifiers == {key: value for key, value in dict(theirs.qualifiers).items() if value}
    assert ours.subpath == (theirs.subpath or "")


@given(TEXT.filter(lambda name: name.strip(" /")), TEXT, TEXT)
def test_what_the_library_writes_is_read_back(name: str, version: str, value: str) -> None:
    try:
        purl = PackageURL("generic", None, name, version, {"vcs_url": value})
        text = purl.to_string()
        again = PackageURL.from_string(text)
    except (ValueError, TypeError):  # TypeError: the library fails to write a name it has emptied itself
        return
    if text.partition("?")[0].endswith("/") or "@/" in text:
        return  # it leaves slashes around a version unencoded, which the specification strips
    if again != purl or again.namespace:
        return  # what the library itself does not read back
    found = parse(text)
    assert found is not None
    assert (found.name, found.version) == (again.name, again.version or "")
    assert found.qualifiers.get("vcs_url", "") == dict(again.qualifiers).get("vcs_url", "")


@pytest.mark.parametrize(
    "text",
    ["", "pkg:", "pkg:npm", "pkg:npm/", "npm/x@1", "pkg:/x", "pkg:n pm/x", "pkg:npm/x y", "pkg:npm/x\n", "pkg:9x/y",
     "pkg:npm/" + "x" * MAX_LENGTH, "http://x"],
)  # fmt: skip
def test_what_is_none(text: str) -> None:
    assert parse(text) is None


@given(st.text(max_size=40))
def test_no_text_is_an_error(text: str) -> None:
    parse(text)
    parse(f"pkg:{text}")


def test_a_bare_scope_is_no_version() -> None:
    found = parse("pkg:npm/@scope/name")
    assert found is not None
    assert (found.namespace, found.name, found.version) == ("@scope", "name", "")


def test_an_encoded_slash_belongs_to_the_version() -> None:
    found = parse("pkg:generic/x@%2F1%2F")
    assert found is not None
    assert found.version == "/1/"
