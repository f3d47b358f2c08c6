"""Package files of distributions that lie about: downloaded or built, but not installed.

Format: deb(5), an ``ar`` archive of ``debian-binary``, ``control.tar`` (plain, gzip, xz or Zstandard) and the data;
https://rpm-software-management.github.io/rpm/manual/format_v4.html , a lead of 96 bytes, the signature as a header,
padded to 8 bytes, and the header; https://wiki.alpinelinux.org/wiki/Apk_spec , gzip members, the second (or, unsigned,
the first) a tar with ``.PKGINFO``. All of them stand at the file's beginning.

Not handled: source packages, Alpine's format 3.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from io import BytesIO

from anchorecli.analyzers.base import Fact, View
from anchorecli.analyzers.language.core_metadata import printable
from anchorecli.analyzers.language.rows import Row, row
from anchorecli.analyzers.language.since import since
from anchorecli.analyzers.licenses import normalise
from anchorecli.analyzers.os.dpkg_status import parse as parse_status
from anchorecli.analyzers.os.rpm.header import parse as parse_header
from anchorecli.analyzers.purl import os_purl
from anchorecli.compression import GZIP, ZSTD, inflate
from anchorecli.model import Package

HEAD = 4 * 1024 * 1024
"""So much of a file is read."""
MAX_INFLATED = 16 * 1024 * 1024
TYPES = frozenset({"deb", "rpm", "apk"})

_LEAD, _MAGIC = b"\xed\xab\xee\xdb", b"\x8e\xad\xe8\x01"
_PREFIX = struct.Struct(">4sIII")


def deb(data: bytes) -> Iterator[Row]:
    """The package of a .deb file."""
    for name, content in _members(data):
        if name.startswith("control.tar"):
            text = _file_of(_inflated(content, name.rpartition(".")[2]), "control")
            for each in parse_status(printable(text)).stanzas:
                yield row(
                    "deb",
                    each.name,
                    each.version,
                    arch=each.arch,
                    source=each.source,
                    source_version=each.source_version,
                )
            return
    raise ValueError("no control file in it")


def rpm(data: bytes) -> Iterator[Row]:
    """The package of an .rpm file; of source packages nothing is ever installed."""
    if not data.startswith(_LEAD):
        raise ValueError("no rpm package")
    if data[6:8] == b"\0\1":
        return
    start, end = _header(data, 96)
    start, end = _header(data, end + -end % 8)
    found = parse_header(data[start:end], [])
    source = found.source.removesuffix(".src.rpm").removesuffix(".nosrc.rpm").rsplit("-", 2)
    plain = f"{found.version}-{found.release}"
    yield row(
        "rpm",
        found.name,
        f"{found.epoch}:{plain}" if found.epoch else plain,
        arch=found.arch,
        source=source[0] if len(source) == 3 else "",
        source_version="-".join(source[1:]) if len(source) == 3 else "",
        licenses=[found.license] if found.license else [],
        qualifiers={"epoch": str(found.epoch) if found.epoch else "", "upstream": found.source},
    )


def apk(data: bytes) -> Iterator[Row]:
    """The package of an .apk file of Alpine's; Android's are zip files."""
    if not data.startswith(b"\x1f\x8b"):
        return
    said: dict[str, str] = {}
    for line in printable(_file_of(_inflated(data, "gz"), ".PKGINFO")).splitlines():
        key, equals, value = line.partition(" = ")
        if equals:
            said.setdefault(key.strip(), value.strip())
    if "pkgname" in said and "pkgver" in said:
        yield row(
            "apk",
            said["pkgname"],
            said["pkgver"],
            arch=said.get("arch", ""),
            source=said.get("origin", ""),
            source_version=said["pkgver"],
            licenses=[said["license"]] if said.get("license") else [],
        )


def package(view: View, fact: Fact, each: Row) -> Package:
    """The package of a row: of the image's distribution, as far as anybody can know."""
    kind, name, version, arch = each["type"], each["name"], each["version"], each.get("arch", "")
    plain = version.partition(":")[2] or version if kind == "rpm" else version
    return Package(
        name=name,
        version=version,
        type=kind,
        scheme=kind,
        purl=os_purl(kind, view.distro, name, plain, {"arch": arch, **each.get("qualifiers", {})}),
        arch=arch,
        source=each.get("source") or name,
        source_version=each.get("source_version") or version,
        licenses=normalise(each.get("licenses", ())),
        locations=(view.location(fact),),
        layer=since(view, fact),
        analyzer="declared",
        metadata={"kind": "declared", "evidence": "package file"},
    )


def _members(data: bytes) -> Iterator[tuple[str, bytes]]:
    """The files of an ``ar`` archive, as far as they are there."""
    if not data.startswith(b"!<arch>\n"):
        raise ValueError("no Debian package")
    at = 8
    while at + 60 <= len(data):
        head = data[at : at + 60]
        size = head[48:58].strip()
        if not size.isdigit() or head[58:] != b"`\n":
            raise ValueError("damaged: no ar archive behind its beginning")
        yield head[:16].decode("latin-1").strip().rstrip("/"), data[at + 60 : at + 60 + int(size)]
        at += 60 + int(size) + int(size) % 2


def _header(data: bytes, at: int) -> tuple[int, int]:
    """Where an rpm header begins behind its magic, and where it ends."""
    if len(data) < at + 16:
        raise ValueError("damaged: the header is cut off")
    magic, _, entries, size = _PREFIX.unpack_from(data, at)
    if magic != _MAGIC:
        raise ValueError("damaged: no header where it should be")
    return at + 8, at + 16 + 16 * entries + size


def _inflated(data: bytes, ending: str) -> bytes:
    """As much as is there, and wanted: what follows the control files may be cut off."""
    if ending == "xz":
        from lzma import LZMADecompressor, LZMAError

        try:
            return LZMADecompressor().decompress(data, MAX_INFLATED)
        except (LZMAError, EOFError) as exc:
            raise ValueError(f"damaged: {exc}") from None
    if ending not in ("gz", "zst"):
        return data
    return _first(inflate([data], GZIP if ending == "gz" else ZSTD))


def _first(pieces: Iterable[bytes]) -> bytes:
    out = bytearray()
    try:
        for piece in pieces:
            out += piece
            if len(out) > MAX_INFLATED:
                break
    except ValueError:
        # The head of a file: its end is missing on purpose.
        if not out:
            raise
    return bytes(out)


def _file_of(data: bytes, wanted: str) -> bytes:
    """One file of a tar, whose end may be missing."""
    import tarfile

    try:
        with tarfile.open(fileobj=BytesIO(data), ignore_zeros=True) as archive:
            for member in archive:
                if member.name.removeprefix("./") == wanted and member.isreg() and member.size < MAX_INFLATED:
                    file = archive.extractfile(member)
                    return file.read() if file else b""
    except (tarfile.TarError, EOFError) as exc:
        raise ValueError(f"damaged: {exc}") from None
    raise ValueError(f"no {wanted} in it")
