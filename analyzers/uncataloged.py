"""What an image holds that no analyzer of this version reads: told, so that silence is never taken for cleanness.

Files that an OS package installed are that package's, and its distribution's feed speaks of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from anchorecli.analyzers.second_hand import SECOND_HAND
from anchorecli.model import Distro, Kind, Package, Platform, Problem
from anchorecli.tree import Tree

KINDS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("Guix store paths", ("/var/guix/db/db.sqlite",), ""),
    ("Flatpak applications", ("/metadata",), "var/lib/flatpak/app/"),
)
"""What they are, how their paths end, and what must stand in them besides."""
PACKED: tuple[tuple[str, frozenset[str], bool], ...] = (
    ("file systems in files", frozenset({".AppImage", ".erofs", ".ext4", ".sqfs", ".squashfs"}), True),
    ("disk images", frozenset({".img", ".iso", ".ova", ".qcow2", ".vdi", ".vhd", ".vhdx", ".vmdk"}), True),
    ("snaps", frozenset({".snap"}), True),
    ("WebAssembly modules", frozenset({".wasm"}), False),
    ("JavaScript bundles", frozenset({".cjs", ".js", ".mjs"}), False),
    ("archives", frozenset({".7z", ".tar", ".tbz2", ".tgz", ".txz", ".tzst"}), False),
)
"""What they are, how their names end, and whether what lies in them is a part of the image: a virtual machine's disk,
an application. An archive may be anything, and into WebAssembly and a script nothing may have been linked: they are
remarks."""
PACKED_BYTES = 256 * 1024
"""What is smaller holds no system and no application; of scripts only those that a bundler wrote are larger."""
EXECUTABLE_BYTES = 1 << 20
"""Smaller programs rarely have packages linked into them."""
OS_TYPES = frozenset({"deb", "rpm", "apk", "opkg", "alpm", "ebuild", "nix"})
"""Types of the packages that a distribution's own package manager installs, as far as this version reads them."""
SYSTEM = 20
"""So many programs make a system; an image of one service has fewer."""
SHELLS = ("bin/sh", "usr/bin/sh", "bin/bash", "usr/bin/bash")
_SYSTEMS = {"windows": "Windows", "freebsd": "FreeBSD", "darwin": "macOS"}
_ENDINGS = tuple(ending for _, endings, _ in KINDS for ending in endings)
_COMPRESSED = frozenset({".bz2", ".gz", ".lz4", ".xz", ".zst"})
_PACKED = frozenset().union(_COMPRESSED, *(endings for _, endings, _ in PACKED))


def uncataloged(tree: Tree, owned: Mapping[str, Iterable[str]], packages: Iterable[Package] = ()) -> list[Problem]:
    """A problem for each kind of package evidence that was not read, a remark for programs that no package owns.

    ``packages`` are those found: a program that told what is in it is known.
    """
    found: dict[str, list[str]] = {}
    for path in tree:
        candidate = path[path.rfind(".") :] in _PACKED or f"/{path}".endswith(_ENDINGS)
        if candidate and (kind := _kind(path) or _packed(path, tree)):
            found.setdefault(kind, []).append(path)
    programs = list(tree.executables(EXECUTABLE_BYTES))
    if not found and not programs:
        return []
    listed = list(packages)
    known = installed({path for paths in found.values() for path in paths} | set(programs), owned, tree)
    roots = _roots(listed)
    problems = list(_unread(found, known, roots))
    told: set[str] = {location.path for package in listed for location in package.locations}
    told |= {first for package in listed if package.analyzer == "binary" for first in _first_names(package, tree)}
    if foreign := sorted(_outside(roots, set(programs) - known - told)):
        message = f"{len(foreign)} that no package owns: {_some(foreign)}; what was linked into them is not known"
        problems.append(Problem("analyze", "programs", message, incomplete=False))
    return problems


def _first_names(package: Package, tree: Tree) -> Iterator[str]:
    """The files whose hard links a program was found under."""
    for location in package.locations:
        file = tree.stat(location.path)
        if file is not None and file.kind is Kind.HARDLINK:
            source = tree.hardlink_source(file.layer, file.target)
            if source is not None:
                yield source[1]


def _unread(found: Mapping[str, list[str]], known: set[str], roots: set[str]) -> Iterator[Problem]:
    """A problem for each kind, less what an OS package or a language's package brought."""
    remarks = {kind for kind, _, is_part in PACKED if not is_part}
    packed = {kind for kind, _, _ in PACKED}
    for kind, paths in found.items():
        unread = set(paths) - known
        unread = set(_outside(roots, unread)) if kind in packed else unread
        if unread:
            hint = "what is said of this image says nothing of them"
            message = f"{len(unread)} not looked into, this version cannot read them: {_some(sorted(unread))}"
            yield Problem("analyze", kind, message, hint, incomplete=kind not in remarks)


def unlisted(distro: Distro | None, packages: Iterable[Package]) -> list[Problem]:
    """A problem where an image says which distribution it is and has no list of what that installed."""
    # BusyBox by itself is a program that stands for a distribution: nobody keeps a list there.
    if distro is None or distro.id == "busybox" or any(_is_listed(package) for package in packages):
        return []
    called = distro.pretty_name or f"{distro.name or distro.id} {distro.version_id}".strip()
    message = "no package of the distribution was found: what it installed is not known"
    hint = f"{distro.source} says which it is; scan an image that still has its package database"
    return [Problem("analyze", called, message, hint)]


def _is_listed(package: Package) -> bool:
    """Whether a package database lists it; that a program or a document names one does not make it a list of all."""
    return package.type in OS_TYPES and package.metadata.get("evidence") not in SECOND_HAND


def nameless(tree: Tree, platform: Platform, distro: Distro | None, packages: Iterable[Package]) -> list[Problem]:
    """A problem where an image holds another system than Linux, whose packages are not read, or a Linux that says
    neither which it is nor what was installed; a remark where it has many programs and no shell: perhaps no system."""
    if distro is not None or not len(tree) or any(_is_listed(package) for package in packages):
        return []
    if platform.os not in ("", "linux"):
        system = _SYSTEMS.get(platform.os, platform.os)
        message = "of images of this system neither what it is made of nor what it installed is read"
        return [
            Problem(
                "analyze",
                system,
                message,
                "what is said of this image rests on packages of languages and on programs alone",
            )
        ]
    if len(list(islice(tree.executables(1), SYSTEM))) < SYSTEM:
        return []
    message = "no os-release and no package database: of what was installed only what tells of itself was found"
    whole = any(tree.resolve(shell) for shell in SHELLS)
    return [Problem("analyze", "distribution", message, "scan an image that still has both", incomplete=whole)]


def _kind(path: str) -> str:
    whole = f"/{path}"
    for kind, endings, inside in KINDS:
        if whole.endswith(endings) and inside in whole:
            return kind
    return ""


def _packed(path: str, tree: Tree) -> str:
    """What kind of file with others in it a large one is by its name."""
    name = path[path.rfind("/") + 1 :]
    stem, _, ending = name.rpartition(".")
    ending = f".{ending}"
    if ending in _COMPRESSED:
        # Of what is compressed the ending before tells: images.tar.zst, disk.img.xz.
        ending = stem[stem.rfind(".") :] if "." in stem else ""
    kind = next((kind for kind, endings, _ in PACKED if ending in endings), "")
    # Kernels start from an image of their own files; test runners and databases have snapshots of the same name.
    if not kind or name.startswith("init") or (kind == "snaps" and "/snaps/" not in path):
        return ""
    stat = tree.stat(path)
    return kind if stat is not None and stat.kind is Kind.FILE and stat.size >= PACKED_BYTES else ""


def installed(candidates: set[str], owned: Mapping[str, Iterable[str]], tree: Tree) -> set[str]:
    """Those of the candidates that an OS package installed, under that name or through a linked directory."""
    names = {path.rpartition("/")[2] for path in candidates}
    found = set()
    for paths in owned.values():
        for path in paths:
            if path[path.rfind("/") + 1 :] in names:
                relative = path.strip("/")
                real = relative if relative in candidates else tree.resolve(relative)
                if real in candidates:
                    found.add(real)
    return found


def _roots(packages: Iterable[Package]) -> set[str]:
    """The directories that belong to language packages: what lies below was brought by one of them.

    An application's own directory is none: its name is known, what was built into it is not.
    """
    roots = set()
    for package in packages:
        for location in package.locations:
            directory, _, base = location.path.rpartition("/")
            if package.type in ("cran", "npm") and package.metadata.get("kind") != "application":
                roots.add(directory)
            elif package.type == "gem" and "/specifications" in f"/{directory}":
                roots.add(f"{directory.rpartition('specifications')[0]}gems/{base.removesuffix('.gemspec')}")
            elif package.type == "composer" and directory.endswith("/composer"):
                roots.add(directory.rpartition("/")[0])
            elif package.type == "pypi":
                roots.add(
                    directory.rpartition("/")[0] if directory.endswith((".dist-info", ".egg-info")) else directory
                )
    return roots - {""}


def _outside(roots: set[str], paths: Iterable[str]) -> Iterator[str]:
    for path in paths:
        directory = path
        while directory := directory.rpartition("/")[0]:
            if directory in roots:
                break
        else:
            yield path


def _some(paths: Sequence[str]) -> str:
    return ", ".join(paths[:3]) + (", …" if len(paths) > 3 else "")
