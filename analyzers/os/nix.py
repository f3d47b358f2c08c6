"""Packages in a Nix store, by the names of its paths.

Format: https://nix.dev/manual/nix/latest/store/store-path, ``/nix/store/HASH-NAME``, 32 digits of base 32, a name that
by custom is ``NAME-VERSION[-OUTPUT]``: the version begins behind the first hyphen that a digit follows. The database
(``/nix/var/nix/db/db.sqlite``) is not needed: images that builders made of a store have none.

Emits: packages of the type ``nix``, with the store path each owns.

Not handled: derivations (``.drv``), sources and patches are no packages; what was patched by the one who built it.
"""

from __future__ import annotations

from anchorecli.analyzers.base import Found, LayerFile, View, Wants
from anchorecli.analyzers.purl import purl
from anchorecli.model import ImagePath, Json, Location, Package, Problem
from anchorecli.tree import Tree
from anchorecli.values import dataclass

STORE = "nix/store"
OUTPUTS = frozenset(
    (
        "bin",
        "data",
        "debug",
        "dev",
        "devdoc",
        "dist",
        "doc",
        "env",
        "getent",
        "info",
        "lib",
        "man",
        "out",
        "py",
        "static",
    )
)
"""Names of outputs that nixpkgs uses."""
HASH = 32

MOST = 50_000
"""Packages of one store: the largest images have some thousand."""
_ALPHABET = frozenset("0123456789abcdfghijklmnpqrsvwxyz")
_NO_PACKAGE = (".drv", ".patch", ".diff", ".gz", ".xz", ".bz2", ".zip", ".zst", ".lock", ".sh", ".nix", ".json")


@dataclass(frozen=True, slots=True)
class NixAnalyzer:
    """Store paths with a name and a version. It reads no file, so it has no facts."""

    name: str = "nix"
    version: int = 1
    options: str = ""
    wants: Wants = Wants()

    def read(self, file: LayerFile) -> Json | None:
        """Nothing: no file is wanted."""
        return None

    def assemble(self, view: View) -> Found:
        """A package for each store path."""
        if STORE not in view.tree:
            return Found()
        paths = _store_paths(view.tree)
        packages: list[Package] = []
        owned: dict[str, list[str]] = {}
        problems: list[Problem] = []
        for path, files in sorted(paths.items()):
            name, version, output = split_name(path.rpartition("/")[2][HASH + 1 :])
            if not version:
                continue
            if len(packages) >= MOST:
                message = f"more than {MOST} packages (a fixed limit)"
                problems.append(Problem("analyze", STORE, message, "the others are missing", cause="limit_hit"))
                break
            package = _package(view, path, (name, version, output))
            packages.append(package)
            owned[package.purl] = files
        return Found(packages=tuple(packages), owned=owned, problems=tuple(problems))


def split_name(name: str) -> tuple[str, str, str]:
    """Name, version and output, ``openssl``, ``3.0.13`` and ``bin`` of ``openssl-3.0.13-bin``; empty what is not there.

    What has the ending of a derivation, an archive or a patch has no version.
    """
    if name.endswith(_NO_PACKAGE) or ".tar." in name:
        return name, "", ""
    start = next((at for at in range(1, len(name) - 1) if name[at] == "-" and name[at + 1].isdigit()), 0)
    if not start:
        return name, "", ""
    version, output = name[start + 1 :], ""
    head, hyphen, tail = version.rpartition("-")
    if hyphen and tail in OUTPUTS:
        version, output = head, tail
    return name[:start], version, output


def _store_paths(tree: Tree) -> dict[str, list[str]]:
    """Each store path with the paths below it."""
    found: dict[str, list[str]] = {}
    prefix = STORE + "/"
    for path in tree:
        if not path.startswith(prefix):
            continue
        end = path.find("/", len(prefix))
        top = path if end < 0 else path[:end]
        files = found.get(top)
        if files is None:
            name = top[len(prefix) :]
            if name[HASH : HASH + 1] != "-" or not _ALPHABET.issuperset(name[:HASH]):
                continue
            files = found[top] = []
        files.append(path)
    return found


def _package(view: View, path: str, identity: tuple[str, str, str]) -> Package:
    name, version, output = identity
    qualifiers = {"output": output, "outputhash": path.rpartition("/")[2][:HASH]}
    layer = view.diff_id(_layer(view.tree, path))
    return Package(
        name=name,
        version=version,
        type="nix",
        scheme="fuzzy",
        purl=purl("nix", name, version, qualifiers),
        source=name,
        source_version=version,
        locations=(Location(ImagePath(path), layer),),
        layer=layer,
        analyzer="nix",
        metadata={"output": output} if output else {},
    )


def _layer(tree: Tree, path: str) -> int:
    """The lowest layer since which the path has been there: what is in a store never changes."""
    lowest = (tree.where(path) or (0, 0))[0]
    for layer, raw in reversed(tree.versions(path)):
        if raw is None:
            break
        lowest = layer
    return lowest
