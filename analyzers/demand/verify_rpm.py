"""What rpm says of its files.

Format: https://rpm-software-management.github.io/rpm/manual/tags.html, "File tags": modes, sizes, digests, flags
(configuration 1, may be missing 8, ghost 64), verify flags (digest 1, size 2, mode 64), and states (normal 0, replaced
1, not installed 2, on a network share 3, of the wrong architecture 4).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from stat import S_IFMT, S_ISLNK, S_ISREG
from typing import Any

from anchorecli.analyzers.base import Fact, LayerFile
from anchorecli.analyzers.demand.expected import Expected, short
from anchorecli.analyzers.os.rpm import bdb, ndb, sqlite
from anchorecli.analyzers.os.rpm.header import MAX_ENTRIES, MAX_FILES
from anchorecli.model import ImagePath, Json, Package, Problem

_PLACE = re.compile(
    r"(?:(?P<root>.*?)/)??(?:var/lib|usr/lib/sysimage|usr/share)/rpm/(?:Packages|Packages\.db|rpmdb\.sqlite)$"
)
_NAME, _VERSION, _RELEASE, _EPOCH, _ARCH = 1000, 1001, 1002, 1003, 1022
_SIZES, _STATES, _MODES, _DIGESTS, _FLAGS, _VERIFY = 1028, 1029, 1030, 1035, 1037, 1045
_INDEXES, _BASES, _DIRECTORIES = 1116, 1117, 1118
_LONG_SIZES, _ALGORITHM = 5008, 5011
_STRINGS = (6, 8, 9)
_CODES = {1: "B", 2: "B", 3: "H", 4: "I", 5: "Q"}
_WIDTHS = {"B": 1, "H": 2, "I": 4, "Q": 8}
_ALGORITHMS = {0: "md5", 1: "md5", 2: "sha1", 8: "sha256"}
_CONFIG, _MISSING_OK, _GHOST = 1, 8, 64
_CHECK_DIGEST, _CHECK_SIZE, _CHECK_MODE = 1, 2, 64
_REPLACED, _GONE = 1, (2, 3, 4)


def is_database(path: str) -> bool:
    """Whether a file is one of rpm's databases."""
    return "/rpm/" in path and _PLACE.match(path) is not None


def read(file: LayerFile) -> Json | None:
    """Name, version and architecture of each package, and a line for each of its files."""
    damage: list[str] = []
    with file.open() as stream:
        head = stream.read(16)
        if head == sqlite.MAGIC:
            blobs = sqlite.headers(stream, file.size, damage)
        elif head[:4] == ndb.MAGIC:
            blobs = ndb.headers(stream, file.size, damage)
        elif head[12:16] in bdb.MAGICS:
            blobs = bdb.headers(stream, file.size, damage)
        else:
            return None
        # That a database is damaged is the rpm analyzer's to say.
        return {"rpm": [row for row in map(_package, blobs) if row]}


def expected(
    facts: Mapping[ImagePath, Fact], packages: Sequence[Package], problems: list[Problem]
) -> Iterator[Expected]:
    """Every file of the packages that rpm itself would verify."""
    purls = {(p.locations[0].path, p.name, p.version, p.arch): p.purl for p in packages}
    for database in dict.fromkeys(package.locations[0].path for package in packages):
        fact = facts.get(database)
        if fact is None or not isinstance(fact.value, dict):
            continue
        place = _PLACE.match(database)
        prefix = f"{place['root']}/" if place and place["root"] else ""
        for name, version, arch, files, fault in fact.value["rpm"]:
            purl = purls.get((database, name, version, arch), "")
            if fault and purl:
                problems.append(Problem("analyze", name, f"not verified: {fault}", "reinstall the package"))
            for line in files if purl else ():
                mode, size, digest, marks, path = line.split(" ", 4)
                yield Expected(
                    *(name, purl, prefix + path, digest, int(mode), int(size)),
                    config="c" in marks,
                    link="l" in marks,
                    optional="o" in marks,
                )


def _package(blob: bytes) -> list[Json] | None:
    """One header as it is kept; None for what is no package."""
    tags = _Tags(blob)
    name, version, release = (tags.text(tag) for tag in (_NAME, _VERSION, _RELEASE))
    if not name or name == "gpg-pubkey":
        return None
    epoch = tags.numbers(_EPOCH)
    whole = f"{epoch[0]}:{version}-{release}" if epoch and epoch[0] else f"{version}-{release}"
    try:
        return [name, whole, tags.text(_ARCH), list(_files(tags)), ""]
    except (ValueError, IndexError, struct.error) as exc:
        return [name, whole, tags.text(_ARCH), [], f"its list of files is damaged ({exc})"]


def _files(tags: _Tags) -> Iterator[str]:
    """``mode size digest marks path`` of each file and link; -1 for what is not to be compared."""
    names, indexes, directories = tags.strings(_BASES), tags.numbers(_INDEXES), tags.strings(_DIRECTORIES)
    modes, found = tags.numbers(_MODES), tags.strings(_DIGESTS)
    sizes = tags.numbers(_LONG_SIZES) or tags.numbers(_SIZES)
    flags, checks, states = tags.numbers(_FLAGS), tags.numbers(_VERIFY), tags.numbers(_STATES)
    kind = _ALGORITHMS.get((tags.numbers(_ALGORITHM) or (0,))[0], "")
    if len(names) != len(indexes) or len(modes) != len(names):
        raise ValueError("names, directories and modes are not of one number")
    for row, name in enumerate(names):
        flag = flags[row] if row < len(flags) else 0
        state = states[row] if row < len(states) else 0
        mode = modes[row]
        path = (directories[indexes[row]] + name).lstrip("/")
        if flag & _GHOST or state in _GONE or "\n" in path or not (S_ISREG(mode) or S_ISLNK(mode)):
            continue
        check = checks[row] if row < len(checks) else 0xFFFFFFFF
        # Of a file that another package has replaced only its existence is known.
        check = 0 if state == _REPLACED else check
        digest = short(kind, bytes.fromhex(found[row])) if check & _CHECK_DIGEST and row < len(found) else ""
        size = sizes[row] if check & _CHECK_SIZE and row < len(sizes) else -1
        marks = f"-{'c' * bool(flag & _CONFIG)}{'o' * bool(flag & _MISSING_OK)}{'l' * S_ISLNK(mode)}"
        yield f"{mode - S_IFMT(mode) if check & _CHECK_MODE else -1} {size} {digest} {marks} {path}"


class _Tags:
    """The values of a header by tag. Format: see ``os/rpm/header.py``."""

    def __init__(self, blob: bytes) -> None:
        self._blob = blob
        self._entries: dict[int, tuple[int, int, int]] = {}
        count = int.from_bytes(blob[:4], "big")
        start = 8 + 16 * count
        if count <= MAX_ENTRIES and start <= len(blob):
            numbers = struct.unpack_from(f">{4 * count}I", blob, 8)
            for tag, kind, offset, items in zip(*(numbers[place::4] for place in range(4)), strict=True):
                self._entries[tag] = (kind, start + offset, min(items, MAX_FILES))

    def text(self, tag: int) -> str:
        """A string, empty where there is none."""
        return (self.strings(tag, 1) or [""])[0]

    def strings(self, tag: int, most: int = MAX_FILES) -> list[str]:
        """The strings of an array."""
        kind, start, items = self._entries.get(tag, (0, 0, 0))
        if kind not in _STRINGS:
            return []
        parts = self._blob[start:].split(b"\0", min(items, most))[: min(items, most)]
        return [part.decode("utf-8", "surrogateescape") for part in parts]

    def numbers(self, tag: int) -> tuple[Any, ...]:
        """The numbers of an array; none where they lie outside of the header."""
        kind, start, items = self._entries.get(tag, (0, 0, 0))
        code = _CODES.get(kind, "")
        if not code or start + items * _WIDTHS[code] > len(self._blob):
            return ()
        return struct.unpack_from(f">{items}{code}", self._blob, start)
