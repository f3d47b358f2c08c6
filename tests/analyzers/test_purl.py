"""Package URLs equal those of packageurl-python."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packageurl import PackageURL

from anchorecli.analyzers.purl import os_purl, purl
from anchorecli.model import Distro

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/"), min_size=1, max_size=20).filter(
    lambda text: text.strip() == text
)
CASES = [
    ("deb", "debian", "libc6", "2.36-9+deb12u4", {"arch": "amd64", "distro": "debian-12"}),
    ("deb", "debian", "libstdc++6", "1:12.2.0~rc1-14+b1", {"upstream": "gcc-12@12.2.0~rc1-14", "arch": "amd64"}),
    ("deb", "ubuntu", "perl", "5.34.0-3ubuntu1.3", {"epoch": "", "arch": "arm64"}),
    ("apk", "alpine", "so:libssl", "1.2.3_p1-r0", {"distro": "alpine-3.20.3"}),
    ("rpm", "redhat", "glibc", "2.34-100.el9", {"epoch": "2", "upstream": "glibc-2.34-100.el9.src.rpm"}),
    ("rpm", "fedora", "Perl-Foo", "1.0^git1-1.fc40", {"rpmmod": "perl:5.30:8050020:abc"}),
    ("pypi", "", "Zope_Interface", "6.0+local", {"vcs_url": "git+https://x.example/a/b.git@0123"}),
    ("npm", "@babel", "core", "7.0.0", {}),
    ("npm", "", "left-pad", "", {}),
    ("generic", "", "naïve name", "1 2", {"file": "a b/c?d#e&f=g"}),
    ("golang", "github.com/Azure", "go-autorest", "v1.0.0", {}),
    ("maven", "org.apache.logging", "log4j-core", "2.0", {"type": "jar"}),
]


@pytest.mark.parametrize(("kind", "namespace", "name", "version", "qualifiers"), CASES)
def test_equals_the_library(kind, namespace, name, version, qualifiers):
    theirs = PackageURL(kind, namespace or None, name, version or None, qualifiers).to_string()
    assert purl(kind, name, version, qualifiers, namespace=namespace) == theirs


@settings(deadline=None)
@given(
    st.sampled_from(["deb", "rpm", "apk", "generic", "gem", "cargo"]),
    st.lists(TEXT, max_size=2),
    TEXT,
    st.one_of(st.just(""), TEXT),
    st.dictionaries(st.sampled_from(["arch", "epoch", "upstream", "distro", "rpmmod"]), TEXT | st.just("a/b")),
)
def test_equals_the_library_on_any_text(kind, namespace, name, version, qualifiers):
    # The library lowers neither kind nor (for deb) names, and lowers others only after encoding them.
    name, namespace = name.lower(), [part.lower() for part in namespace]
    if kind in ("deb", "apk") and not "".join([name, *namespace]).isascii():
        return
    theirs = PackageURL(kind, "/".join(namespace) or None, name, version or None, qualifiers)
    ours = purl(kind, name, version, qualifiers, namespace="/".join(namespace))
    assert PackageURL.from_string(ours) == PackageURL.from_string(theirs.to_string())
    if kind != "apk":
        assert ours == theirs.to_string()


@settings(deadline=None)
@given(TEXT, TEXT)
def test_pypi_equals_the_library(name, version):
    if name.isascii():
        assert PackageURL.from_string(purl("pypi", name, version)) == PackageURL("pypi", None, name, version)


def test_a_scope_in_the_name_becomes_the_namespace():
    assert purl("npm", "@types/node", "1.0.0") == "pkg:npm/%40types/node@1.0.0"
    assert purl("golang", "golang.org/x/net", "v0.1.0") == "pkg:golang/golang.org/x/net@v0.1.0"


def test_slashes_in_a_name_do_not_invent_a_namespace():
    text = purl("deb", "a/b", "1/2", namespace="debian")
    assert text == "pkg:deb/debian/a%2Fb@1%2F2"
    read = PackageURL.from_string(text)
    assert (read.namespace, read.name, read.version) == ("debian", "a/b", "1/2")


def test_undecodable_bytes_do_not_raise():
    assert purl("deb", "a\udcff", "1") == "pkg:deb/a%3F@1"


@pytest.mark.parametrize(
    ("kind", "distro", "expected"),
    [
        ("deb", Distro("debian", "12"), "pkg:deb/debian/x@1?arch=amd64&distro=debian-12"),
        ("deb", Distro("debian", codename="trixie"), "pkg:deb/debian/x@1?arch=amd64&distro=debian"),
        ("rpm", Distro("rhel", "9.4"), "pkg:rpm/redhat/x@1?arch=amd64&distro=rhel-9.4"),
        ("rpm", Distro("opensuse-leap", "15.5"), "pkg:rpm/opensuse/x@1?arch=amd64&distro=opensuse-leap-15.5"),
        ("rpm", Distro("fedora", "40"), "pkg:rpm/fedora/x@1?arch=amd64&distro=fedora-40"),
        ("apk", Distro("wolfi", "20230201"), "pkg:apk/wolfi/x@1?arch=amd64&distro=wolfi-20230201"),
        ("apk", None, "pkg:apk/x@1?arch=amd64"),
    ],
)
def test_namespace_and_distro_of_os_packages(kind, distro, expected):
    assert os_purl(kind, distro, "x", "1", {"arch": "amd64", "upstream": ""}) == expected
