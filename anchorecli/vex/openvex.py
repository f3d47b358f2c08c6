"""OpenVEX documents.

Format: https://github.com/openvex/spec/blob/main/OPENVEX-SPEC.md, versions 0.0.1 to 0.2.0: ``statements`` of
``vulnerability``, ``products`` with ``subcomponents``, ``status`` and reasons; a statement without a time has that of
the document.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from anchorecli.vex.fields import Object, VexError, items, mapping, moment, objects, text, texts
from anchorecli.vex.values import VexStatement, VexStatus

NAME = "openvex"


def recognises(document: Object) -> bool:
    """Whether a document says that it is OpenVEX."""
    context = _head(document).get("@context")
    return isinstance(context, str) and "openvex" in context


def author(document: Object) -> str:
    """Who speaks."""
    return text(_head(document), "author", "")


def statements(document: Object, _: list[str]) -> Iterator[VexStatement]:
    """The statements. Raises: VexError."""
    written = moment(_head(document), ("last_updated", "timestamp"), "")
    for place, each in objects(document, "statements", "", required=True):
        where = f"{place}."
        status = text(each, "status", where, required=True)
        if status not in VexStatus.__members__.values():
            raise VexError(f"{where}status: {status[:40]!r} is none of {', '.join(VexStatus)}")
        products = _products(each, where)
        impact = text(each, "impact_statement", where)
        justification = text(each, "justification", where)
        if status == VexStatus.NOT_AFFECTED and not impact and not justification:
            raise VexError(f"{place}: not_affected without a justification or an impact_statement")
        for parts, subcomponents in _grouped(products, _ids(each, "subcomponents", where)):
            yield VexStatement(
                names=_names(each, where),
                status=VexStatus(status),
                products=parts,
                subcomponents=subcomponents,
                justification=justification,
                impact=impact,
                action=text(each, "action_statement", where),
                timestamp=moment(each, ("last_updated", "timestamp"), where) or written,
            )


def _head(document: Object) -> Object:
    """Where author and time stand: Canonical wraps them in ``metadata``."""
    inner = document.get("metadata")
    return inner if "@context" not in document and isinstance(inner, dict) else document


Product = tuple[tuple[str, ...], tuple[str, ...]]
"""The ids of a product, and of its subcomponents."""


def _grouped(products: list[Product], shared: tuple[str, ...]) -> Iterator[Product]:
    """Products that have the same subcomponents as one."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for ids, inner in products:
        groups.setdefault((*inner, *shared), []).extend(ids)
    yield from ((tuple(ids), inner) for inner, ids in groups.items())


def _products(statement: Object, where: str) -> list[Product]:
    found = []
    for place, each in items(statement, "products", where, required=True):
        inner = () if isinstance(each, str) else _ids(mapping(each, place), "subcomponents", f"{place}.")
        found.append((_component(each, place), inner))
    return found


def _ids(parent: Object, key: str, where: str) -> tuple[str, ...]:
    return tuple(name for place, each in items(parent, key, where) for name in _component(each, place))


def _component(value: Any, place: str) -> tuple[str, ...]:
    """What identifies a component: a purl where there is one, for its id may be anything."""
    if isinstance(value, str):
        return (value,)
    component = mapping(value, place)
    identifiers = mapping(component.get("identifiers") or {}, f"{place}.identifiers")
    hashes = mapping(component.get("hashes") or {}, f"{place}.hashes")
    digest = text(hashes, "sha-256", f"{place}.hashes.")
    found = [text(component, "@id", f"{place}."), text(identifiers, "purl", f"{place}.identifiers."), digest]
    if not any(found):
        found = [text(identifiers, name, f"{place}.identifiers.") for name in ("cpe23", "cpe22")]
    return tuple(dict.fromkeys(filter(None, found)))


def _names(statement: Object, where: str) -> tuple[str, ...]:
    value = statement.get("vulnerability")
    if isinstance(value, str) and value:
        return (value,)
    vulnerability = mapping(value, f"{where}vulnerability")
    name = text(vulnerability, "name", f"{where}vulnerability.") or text(vulnerability, "@id", f"{where}vulnerability.")
    if not name:
        raise VexError(f"{where}vulnerability: it has no name")
    found = (name, *texts(vulnerability, "aliases", f"{where}vulnerability."))
    # Any of them may be the URL of a page about it.
    return tuple(dict.fromkeys(each.rpartition("/")[2].rpartition("=")[2] for each in found))
