"""Who may import whom, and where each library lives (CONTRIBUTING.md)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "anchorecli"
LEVELS: dict[str, float] = {
    "values": -1,
    **dict.fromkeys(("__init__", "errors", "model"), 0),
    # The lower half of level 1 serves the upper half.
    **dict.fromkeys(("texts", "places"), 0.25),
    "layerindex": 0.5,
    "links": 0.75,
    "squash": 0.8,
    **dict.fromkeys(
        ("tree", "versions", "compression", "codec", "longjson", "transport", "patterns", "spdx", "cpe", "legible"), 1
    ),
    **dict.fromkeys(("archive", "piecewise"), 1.25),
    "archivekind": 1.3,
    # Readers of documents: what an image holds of them is read by an analyzer.
    **dict.fromkeys(("reference", "net", "registry", "serve", "config", "signatures", "sbom"), 1.5),
    **dict.fromkeys(
        ("source", "layers", "store", "matching", "report", "notify", "analyzers", "feeds", "policy", "vex"), 2
    ),
    "scan": 3,
    "watch": 4,
    "cli": 5,
    "__main__": 6,
}
HOMES = {
    "click": {"cli", "__main__"},
    "rich": {"cli", "report"},
    "subprocess": {"source"},
    "sqlite3": {"store", "analyzers"},  # analyzers read an image's own rpm database from a private copy
    "sqlite_utils": {"store"},
    "requests": {"net", "registry"},  # registry: what oras raises
    "urllib3": {"net"},
    "http": {"net", "transport", "serve"},  # serve: the one HTTP server
    "yaml": {"policy", "config", "feeds", "analyzers"},  # analyzers: an image's hints
    "oras": {"registry", "feeds"},  # feeds: pushes artifacts
}
SLOW = {"rich", "oras", "requests", "urllib3", "sqlite_utils", "yaml", "cyclonedx", "packageurl", "tarfile", "email"}


def modules() -> list[Path]:
    found = []
    for path in sorted(ROOT.iterdir()):
        found += sorted(path.resolve().rglob("*.py")) if path.is_dir() else [path] if path.suffix == ".py" else []
    return [path for path in found if "__pycache__" not in path.parts]


def part_of(path: Path) -> str:
    relative = path.relative_to(ROOT if path.is_relative_to(ROOT) else ROOT.parent)
    return relative.parts[0].removesuffix(".py")


def imports(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from ((name, node.lineno) for name in (names if node.module == "anchorecli" else [node.module or ""]))


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT.parent)))
def test_imports_point_down_and_libraries_stay_at_home(path: Path) -> None:
    part = part_of(path)
    wrong = []
    for name, line in imports(ast.parse(path.read_text())):
        head, _, rest = name.partition(".")
        if head == "anchorecli" and rest and not rest.startswith("_"):
            target = rest.partition(".")[0]
            below = LEVELS[target] < LEVELS[part]
            if target != part and not below:
                wrong.append(f"line {line}: {part} (level {LEVELS[part]}) imports {target} (level {LEVELS[target]})")
        elif head in HOMES and part not in HOMES[head]:
            wrong.append(f"line {line}: {head} lives in {sorted(HOMES[head])}, not in {part}")
        elif head in {"analyzers", "policy", "feeds"}:
            wrong.append(f"line {line}: import anchorecli.{head}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT.parent)))
def test_slow_libraries_are_imported_where_they_are_used(path: Path) -> None:
    tree = ast.parse(path.read_text())
    top = ast.Module([node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)], [])
    eager = [name for name, _ in imports(top) if name.partition(".")[0] in SLOW]
    lazy_files = {"report/rich_table.py", "report/cyclonedx.py"}
    assert not eager or str(path.relative_to(ROOT.parent)).removeprefix("anchorecli/") in lazy_files, eager


def test_files_and_functions_keep_to_the_house_style() -> None:
    long = []
    for path in modules():
        text = path.read_text()
        name = str(path.relative_to(ROOT.parent))
        if text.count("\n") > 400:
            long.append(f"{name}: {text.count(chr(10))} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno + 1 > 60:
                long.append(f"{name}:{node.lineno} {node.name}: {(node.end_lineno or 0) - node.lineno + 1} lines")
    assert not long, "\n".join(long)
