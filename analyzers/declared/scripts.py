"""Project files that are Python programs: read as their text, never run; what they compute is not known.

Format: https://setuptools.pypa.io/en/latest/references/keywords.html (``install_requires``);
https://docs.conan.io/2/reference/conanfile/methods/requirements.html (``requires``, a class's attribute or calls of
``self.requires``; a reference without a range is the version that comes).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from anchorecli.analyzers.declared.asked import asks, requirement
from anchorecli.analyzers.language.formats.conan import reference_row
from anchorecli.analyzers.language.rows import Row

if TYPE_CHECKING:
    import ast

MAX_BYTES = 64 * 1024
"""A longer program is not read: its tree takes a hundred times as much."""
_LISTED = re.compile(r"requirements[\w./-]*\.txt|[\w./-]*requirements\.txt")


def setup_py(data: bytes) -> Iterator[Row]:
    """``install_requires`` of calls of ``setup``: literals, and names that stand for them.

    Where a file of requirements is named, that one asks for them.
    """
    import ast

    tree = _parsed(data)
    if tree is None:
        yield from _unread("pypi", "it is no Python of today, or too long")
        return
    names: list[str] = []
    whole = True
    for call in (each for each in ast.walk(tree) if isinstance(each, ast.Call) and _called(each) == "setup"):
        for keyword in call.keywords:
            if keyword.arg in ("install_requires", None):
                found = _texts(keyword.value, tree)
                names += [requirement(text) for text in found or ()]
                whole = whole and found is not None
    yield from asks("pypi", filter(None, names))
    if not whole and not any(_LISTED.fullmatch(text) for text in _constants(tree)):
        yield from _unread("pypi", "install_requires is computed")


def conanfile_py(data: bytes) -> Iterator[Row]:
    """What the recipe requires, not what builds or tests it."""
    import ast

    tree = _parsed(data)
    if tree is None:
        yield from _unread("conan", "it is no Python of today, or too long")
        return
    found: list[list[str] | None] = []
    for each in ast.walk(tree):
        if isinstance(each, ast.ClassDef):
            found += [_texts(value, tree) for value in _assigned(each.body, "requires")]
        elif isinstance(each, ast.Call) and _called(each) == "requires" and isinstance(each.func, ast.Attribute):
            found.append(_texts(each.args[0], tree) if each.args else None)
    yield from references([text for texts in found for text in texts or ()])
    if None in found:
        yield from _unread("conan", "requires is computed")


def references(texts: list[str]) -> Iterator[Row]:
    """Rows of Conan's references: the exact ones, and what is asked for."""
    rows = [reference_row(text) for text in texts if "/" in text]
    yield from (each for each in rows if each["name"] and each["version"][:1].isalnum())
    yield from asks("conan", (each["name"] for each in rows if each["name"]))


def _unread(kind: str, why: str) -> Iterator[Row]:
    yield {"asks": kind, "names": [], "count": 0, "unread": why}


def _parsed(data: bytes) -> ast.Module | None:
    """The program's tree; None where there is none."""
    import ast
    import warnings

    if len(data) > MAX_BYTES:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(data)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        # The last two are what the parser says of a text that is nested too deeply.
        return None


def _called(call: ast.Call) -> str:
    """The last name of what is called."""
    return str(getattr(call.func, "id", "") or getattr(call.func, "attr", ""))


def _constants(tree: ast.AST) -> Iterator[str]:
    import ast

    return (each.value for each in ast.walk(tree) if isinstance(each, ast.Constant) and isinstance(each.value, str))


def _texts(node: ast.AST, tree: ast.Module) -> list[str] | None:
    """A text, or a list of texts; of a name what stands once at the top and is not touched again. None: computed."""
    import ast

    if isinstance(node, ast.Name):
        values = list(_assigned(tree.body, node.id))
        touched = sum(isinstance(each, ast.Name) and each.id == node.id for each in ast.walk(tree))
        # Once where it is made, once where it is used.
        if len(values) != 1 or touched > 2 or isinstance(values[0], ast.Name):
            return None
        node = values[0]
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value.splitlines()
    if isinstance(node, ast.List | ast.Tuple):
        # Conan's tuples have words beside a reference: ("zlib/1.3", "private").
        items = [each.elts[0] if isinstance(each, ast.Tuple) and each.elts else each for each in node.elts]
        found = [each.value for each in items if isinstance(each, ast.Constant) and isinstance(each.value, str)]
        return found if len(found) == len(items) else None
    return None


def _assigned(body: list[ast.stmt], name: str) -> Iterator[ast.expr]:
    """What is assigned to a name in the body itself."""
    import ast

    for each in body:
        if isinstance(each, ast.Assign):
            targets: list[ast.expr] = each.targets
        elif isinstance(each, ast.AnnAssign | ast.AugAssign):
            targets = [each.target]
        else:
            continue
        if each.value and any(isinstance(to, ast.Name) and to.id == name for to in targets):
            yield each.value
