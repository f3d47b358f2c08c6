"""Linux kernels that no package owns, by their image or the directory of their modules.

Format: https://docs.kernel.org/arch/x86/boot.html (``HdrS`` at 0x202, the offset of the version's text less 0x200 at
0x20e); other architectures' images say nothing without being unpacked. ``/lib/modules/RELEASE/modules.builtin`` and
``modules.dep``: the release is the directory's name, as ``uname -r`` prints it.

Emits: packages of the type ``linux-kernel``.

Not handled: modules one by one. A kernel in an image is not the one that runs: containers use their host's.
"""

from __future__ import annotations

from collections.abc import Iterable

from anchorecli.analyzers.base import Fact, Found, LayerFile, View, Wants
from anchorecli.analyzers.language.core_metadata import printable
from anchorecli.analyzers.language.since import since
from anchorecli.analyzers.purl import purl
from anchorecli.analyzers.uncataloged import installed
from anchorecli.model import Json, Package
from anchorecli.values import dataclass

HEAD = 0x10210
"""The version's offset is a 16-bit number, counted from 0x200."""

_IMAGES = ("vmlinuz", "vmlinux", "bzImage", "zImage", "kernel")
_MODULES = frozenset({"modules.builtin", "modules.dep"})


def _wanted(path: str, size: int, _mode: int) -> bool:
    directory, _, base = path.rpartition("/")
    if base in _MODULES:
        return "lib/modules/" in f"{directory}/"
    return base.startswith(_IMAGES) and size > 0x300


@dataclass(frozen=True, slots=True)
class KernelAnalyzer:
    """Kernels. A fact is a kernel's release: ``5.10.0-8-amd64``."""

    name: str = "kernel"
    version: int = 1
    options: str = ""
    wants: Wants = Wants(
        names=frozenset({"vmlinuz", "bzImage", "zImage"}) | _MODULES,
        parents=frozenset({"boot"}),
        match=_wanted,
        max_bytes=0,
    )

    def read(self, file: LayerFile) -> Json | None:
        """The release, where the file tells it."""
        directory, _, base = file.path.rpartition("/")
        if base in _MODULES:
            release = f"/{directory}".rpartition("/lib/modules/")[2]
            return release if release[:1].isdigit() and "/" not in release else None
        return image_release(file.head(HEAD)) or None

    def assemble(self, view: View) -> Found:
        """A package for each release of which no evidence is an OS package's."""
        releases: dict[str, list[Fact]] = {}
        for fact in view.facts():
            releases.setdefault(fact.value, []).append(fact)
        if not releases:
            return Found()
        candidates = {str(fact.path) for facts in releases.values() for fact in facts}
        kept = installed(candidates, view.owned, view.tree)
        unowned = {
            release: facts for release, facts in releases.items() if kept.isdisjoint(fact.path for fact in facts)
        }
        return Found(packages=tuple(_package(view, release, facts) for release, facts in unowned.items()))


def image_release(head: bytes) -> str:
    """The release in an x86 kernel image, empty where there is none."""
    if head[0x202:0x206] != b"HdrS":
        return ""
    start = int.from_bytes(head[0x20E:0x210], "little")
    words = printable(head[start + 0x200 : start + 0x400].partition(b"\0")[0]).split() if start else []
    return words[0] if words and words[0][:1].isdigit() else ""


def _package(view: View, release: str, facts: Iterable[Fact]) -> Package:
    facts = list(facts)
    number = release.partition("-")[0].rstrip("+")
    return Package(
        name="linux",
        version=release,
        type="linux-kernel",
        scheme="fuzzy",
        purl=purl("generic", "linux", release),
        source="linux",
        source_version=release,
        cpes=(f"cpe:2.3:o:linux:linux_kernel:{number}:*:*:*:*:*:*:*",),
        locations=tuple(view.location(fact) for fact in facts),
        layer=since(view, facts[0]),
        analyzer="kernel",
    )
