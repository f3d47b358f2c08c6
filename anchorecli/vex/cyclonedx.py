"""VEX in CycloneDX documents (JSON).

Format: https://cyclonedx.org/docs/1.6/json/#vulnerabilities: ``vulnerabilities[].analysis`` says what holds for the
components that ``affects[].ref`` names, by a bom-ref of this document, a purl, or a BOM-Link whose fragment is one. A
document about one subject (``metadata.component``) speaks of components inside that subject.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import unquote

from anchorecli.vex.fields import Object, VexError, mapping, moment, objects, text, texts
from anchorecli.vex.values import VexStatement, VexStatus

NAME = "cyclonedx"
_STATUS = {
    "exploitable": VexStatus.AFFECTED,
    "in_triage": VexStatus.UNDER_INVESTIGATION,
    "resolved": VexStatus.FIXED,
    "resolved_with_pedigree": VexStatus.FIXED,
    "not_affected": VexStatus.NOT_AFFECTED,
    "false_positive": VexStatus.NOT_AFFECTED,
}
_DEEPEST = 100


def recognises(document: Object) -> bool:
    """Whether a document is one of CycloneDX."""
    return document.get("bomFormat") == "CycloneDX"


def author(document: Object) -> str:
    """Who speaks: the manufacturer or supplier, else the first author."""
    metadata = mapping(document.get("metadata") or {}, "metadata")
    for key in ("manufacturer", "manufacture", "supplier"):
        if name := text(mapping(metadata.get(key) or {}, f"metadata.{key}"), "name", f"metadata.{key}."):
            return name
    return next((text(each, "name", f"{place}.") for place, each in objects(metadata, "authors", "metadata.")), "")


def statements(document: Object, remarks: list[str]) -> Iterator[VexStatement]:
    """The statements; vulnerabilities without an analysis say nothing. Raises: VexError."""
    metadata = mapping(document.get("metadata") or {}, "metadata")
    written = moment(metadata, ("timestamp",), "metadata.")
    subject = mapping(metadata.get("component") or {}, "metadata.component")
    components = dict(_components(document, "", 0)) | dict(_identified(subject, "metadata.component."))
    whole = components.get(text(subject, "bom-ref", "metadata.component."), "") or text(
        subject, "purl", "metadata.component."
    )
    unknown: set[str] = set()
    for place, each in objects(document, "vulnerabilities", "", required=True):
        where = f"{place}."
        analysis = mapping(each.get("analysis") or {}, f"{where}analysis")
        state = text(analysis, "state", f"{where}analysis.")
        if not state:
            continue
        if state not in _STATUS:
            raise VexError(f"{where}analysis.state: {state[:40]!r} is none of {', '.join(_STATUS)}")
        refs = [text(one, "ref", f"{at}.", required=True) for at, one in objects(each, "affects", where)]
        ids = {ref: _resolved(ref, components) for ref in refs}
        unknown |= {ref for ref, found in ids.items() if not found}
        parts = tuple(dict.fromkeys(filter(None, ids.values())))
        inner = tuple(part for part in parts if part != whole) if whole else ()
        if not parts:
            continue
        yield VexStatement(
            names=_names(each, where),
            status=_STATUS[state],
            products=(whole,) if whole else parts,
            subcomponents=inner,
            justification=text(analysis, "justification", f"{where}analysis."),
            impact=text(analysis, "detail", f"{where}analysis."),
            action=", ".join(texts(analysis, "response", f"{where}analysis.")),
            timestamp=moment(analysis, ("lastUpdated", "firstIssued"), f"{where}analysis.")
            or moment(each, ("updated", "published"), where)
            or written,
        )
    if unknown:
        what = "components are not identified by a purl or a CPE"
        remarks.append(f"{len(unknown)} {what}: what is said of them is unused")


def _names(each: Object, where: str) -> tuple[str, ...]:
    found = [text(each, "id", where, required=True)]
    found += [text(one, "id", f"{place}.") for place, one in objects(each, "references", where)]
    return tuple(dict.fromkeys(filter(None, found)))


def _components(parent: Object, where: str, depth: int) -> Iterator[tuple[str, str]]:
    if depth > _DEEPEST:
        raise VexError(f"{where[:60]}…: nested too deeply")
    for place, each in objects(parent, "components", where):
        yield from _identified(each, f"{place}.")
        yield from _components(each, f"{place}.", depth + 1)


def _identified(component: Object, where: str) -> Iterator[tuple[str, str]]:
    """bom-ref → what identifies a component in an image."""
    ref, purl = text(component, "bom-ref", where), text(component, "purl", where)
    if not purl and component.get("type") == "container":
        name, version = text(component, "name", where), text(component, "version", where)
        purl = f"{name}@{version}" if version.startswith("sha256:") else f"{name}:{version}" if version else name
    if ref:
        yield ref, purl or text(component, "cpe", where)


def _resolved(ref: str, components: dict[str, str]) -> str:
    fragment = unquote(ref.partition("#")[2]) if ref.startswith("urn:cdx:") else ref
    return components.get(ref) or components.get(fragment) or (fragment if fragment.startswith("pkg:") else "")
