"""Package files of distributions, cut together as their tools write them."""

from __future__ import annotations

import gzip
import io
import lzma
import struct
import tarfile

import pytest

from anchorecli.analyzers.declared import files
from anchorecli.analyzers.declared.plugin import DeclaredAnalyzer
from anchorecli.model import Distro, Package
from tests.analyzers.os.rpmdb import header
from tests.analyzers.view import make_view

CONTROL = "Package: hello\nVersion: 2.10-3\nArchitecture: amd64\nSource: hello-src (2.10-2)\nMaintainer: x\n"
PKGINFO = "# made by hand\npkgname = zlib-dev\npkgver = 1.3.1-r0\narch = x86_64\norigin = zlib\nlicense = Zlib\n"
DEBIAN = Distro("debian", "12")


def tar(**members: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, text in members.items():
            info = tarfile.TarInfo(name.replace("__", "."))
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    return out.getvalue()


def ar(*members: tuple[str, bytes]) -> bytes:
    out = b"!<arch>\n"
    for name, content in members:
        out += f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode() + content
        out += b"\n" * (len(content) % 2)
    return out


def deb(ending: str = ".xz") -> bytes:
    control = tar(control=CONTROL, md5sums="x")
    packed = {".xz": lzma.compress, ".gz": gzip.compress, "": bytes}[ending](control)
    return ar(("debian-binary", b"2.0\n"), (f"control.tar{ending}", packed), ("data.tar.xz", b"\0" * 999))


def rpm(source: bool = False) -> bytes:
    lead = b"\xed\xab\xee\xdb\x03\x00" + (b"\0\1" if source else b"\0\0") + bytes(88)
    magic = b"\x8e\xad\xe8\x01" + bytes(4)
    signature = magic + struct.pack(">II", 1, 3) + struct.pack(">IIII", 1000, 6, 0, 1) + b"ab\0"
    body = header("bash", "5.2-1.fc40", epoch=1)
    return lead + signature + bytes(-len(signature) % 8) + magic + body + b"payload"


def apk() -> bytes:
    # abuild cuts the end of the first archives off, so that all three are one.
    return (
        gzip.compress(tar(__SIGN="x")[:1024]) + gzip.compress(tar(__PKGINFO=PKGINFO)[:1024]) + gzip.compress(tar(f="y"))
    )


def find(content: dict[str, bytes], distro: Distro | None = DEBIAN):
    view = make_view(DeclaredAnalyzer.of(""), [content], distro)
    return view, DeclaredAnalyzer.of("").assemble(view).packages


@pytest.mark.parametrize("ending", [".xz", ".gz", ""])
def test_a_deb(ending: str) -> None:
    _, (package,) = find({"var/cache/apt/archives/hello.deb": deb(ending)})
    assert package.purl == "pkg:deb/debian/hello@2.10-3?arch=amd64&distro=debian-12"
    assert (package.scheme, package.source, package.source_version) == ("deb", "hello-src", "2.10-2")
    assert package.metadata == {"kind": "declared", "evidence": "package file"}


def test_an_rpm() -> None:
    _, (package,) = find({"root/bash.rpm": rpm(), "root/bash.src.rpm": rpm(source=True)}, Distro("fedora", "40"))
    assert (package.name, package.version, package.source) == ("bash", "1:5.2-1.fc40", "bash")
    assert package.purl.startswith("pkg:rpm/fedora/bash@5.2-1.fc40?")


def test_an_apk_of_alpine_and_one_of_android() -> None:
    _, (package,) = find({"root/zlib-dev.apk": apk(), "app.apk": b"PK\3\4"}, Distro("alpine", "3.20"))
    assert (package.name, package.version, package.source, package.licenses) == (
        "zlib-dev",
        "1.3.1-r0",
        "zlib",
        ("Zlib",),
    )


def test_what_is_installed_in_that_version_is_not_repeated() -> None:
    view, _ = find({"x.deb": deb()})
    view.packages = [Package("hello", "2.10-3", "deb", "deb")]
    assert DeclaredAnalyzer.of("").assemble(view).packages == ()


@pytest.mark.parametrize("kind", ["deb", "rpm", "apk"])
def test_damage_is_told_and_nothing_else_is_raised(kind: str) -> None:
    whole = {"deb": deb(), "rpm": rpm(), "apk": apk()}[kind]
    view, packages = find({f"x.{kind}": whole[:100]})
    assert packages == ()
    assert len(view.read_problems) == 1
    read = getattr(files, kind)
    for cut in range(0, len(whole), 3):
        for data in (whole[:cut], whole[:cut] + b"\xff" + whole[cut + 1 :]):
            try:
                assert all(row["name"] for row in read(data))
            except ValueError as exc:
                assert str(exc)
