"""What a project asks for and nothing settles: a gap of a project's sources, where "nothing found" would be wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from posixpath import dirname, join

from anchorecli.analyzers.base import Fact, View
from anchorecli.analyzers.language.rows import Row
from anchorecli.model import Problem

LOCKS = {
    "npm": ("package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock", "deno.lock"),
    "pypi": ("poetry.lock", "uv.lock", "pdm.lock", "Pipfile.lock", "pylock.toml"),
    "gem": ("Gemfile.lock",),
    "cargo": ("Cargo.lock",),
    "composer": ("composer.lock",),
    "hex": ("mix.lock",),
    "maven": ("gradle.lockfile",),
    "swift": ("Package.resolved", ".package.resolved"),
    "pub": ("pubspec.lock",),
    "cocoapods": ("Podfile.lock",),
    "conan": ("conan.lock",),
    "nuget": ("packages.lock.json", "paket.lock", "obj/project.assets.json"),
}
"""Files beside or above a project's own that say which versions it gets."""
_HINTS = {
    "npm": "npm install --package-lock-only, or scan what was built",
    "pypi": "lock them (uv lock, pip freeze), or scan what was built",
    "gem": "bundle lock, or scan what was built",
    "cargo": "cargo generate-lockfile, or scan what was built",
    "composer": "composer update --no-install, or scan what was built",
    "hex": "mix deps.get, or scan what was built",
    "maven": "scan what was built, or a bill of materials that the build writes",
    "swift": "swift package resolve, or scan what was built",
    "pub": "dart pub get, or scan what was built",
    "cocoapods": "pod install, or scan what was built",
    "conan": "conan lock create, or scan what was built",
    "nuget": "dotnet restore --use-lock-file, or scan what was built",
}
_SHOWN = 3


def problems(view: View, facts: Iterable[Fact], known: set[tuple[str, str]]) -> Iterator[Problem]:
    """One for each kind of package, of what no lock file settles and nobody installed.

    ``known`` has type and name of what is. In an image files of sources prove nothing: there it is a remark.
    """
    asked: dict[str, dict[str, list[str]]] = {}
    unread: dict[str, dict[str, str]] = {}
    for fact in facts:
        for each in fact.value:
            if "asks" not in each or _is_locked(view, fact, each["asks"]):
                continue
            if "unread" in each:
                unread.setdefault(each["asks"], {})[fact.path] = each["unread"]
            elif left := _left(each, known):
                asked.setdefault(each["asks"], {})[fact.path] = left
    incomplete = view.image.ref.transport == "dir" and view.distro is None
    for kind, reasons in sorted(unread.items()):
        [subject, why], *more = sorted(reasons.items())
        message = f"what it asks for could not be read: {why}"
        also = f", so of {len(more)} other files ({_some([path for path, _ in more])})" if more else ""
        yield Problem("analyze", subject, message + also, _HINTS[kind], incomplete)
    for kind, files in sorted(asked.items()):
        names = sorted({name for left in files.values() for name in left})
        subject = next(iter(files)) if len(files) == 1 else f"{kind} packages"
        among = "" if len(files) == 1 else f" in {len(files)} files ({_some(sorted(files))})"
        count = f"{len(names)} package{'s' if len(names) > 1 else ''} ({_some(names)})"
        message = f"no file says which versions come of what is asked for{among}: {count}"
        yield Problem("analyze", subject, message, _HINTS[kind], incomplete)


def _is_locked(view: View, fact: Fact, kind: str) -> bool:
    """Whether a lock file lies beside the file or above it."""
    above = dirname(fact.path)
    while True:
        if any(join(above, name) in view.tree for name in LOCKS[kind]):
            return True
        if not above:
            return False
        above = dirname(above)


def _left(each: Row, known: set[tuple[str, str]]) -> list[str]:
    """The names that nothing settles."""
    kind = each["asks"]
    return [name for name in each["names"] if (kind, key(kind, name)) not in known]


def key(kind: str, name: str) -> str:
    """A name as its ecosystem compares it."""
    return name.lower().replace("_", "-") if kind in ("pypi", "nuget", "composer") else name


def _some(names: list[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
