"""CycloneDX XML in the form that CycloneDX's JSON has.

Format: https://cyclonedx.org/docs/1.6/xml/ and its predecessors. Read with expat; a document type is refused, so that
no entity is ever defined or expanded. Only what ``cyclonedx`` reads is kept.
"""

from __future__ import annotations

from typing import Any

from anchorecli.errors import IntegrityError, SourceError

Object = dict[str, Any]

MAX_DEPTH = 200
"""Elements inside each other; components may hold components."""
MAX_ELEMENTS = 8_000_000
MAX_NAMES = 10_000
"""Names of elements and attributes: CycloneDX has some three hundred, and of each the parser keeps a table's row."""


class TooMuchError(SourceError):
    """A document that goes beyond one of these bounds."""


class Element:
    """One element while it is read: its name without the name space, attributes, children and text."""

    __slots__ = ("attributes", "children", "name", "text")

    def __init__(self, name: str, attributes: dict[str, str]) -> None:
        self.name = name
        self.attributes = attributes
        self.children: list[Element] = []
        self.text: list[str] = []

    def child(self, name: str) -> Element | None:
        """The first child of that name."""
        return next((each for each in self.children if each.name == name), None)

    def said(self, name: str) -> str:
        """The text of the first child of that name."""
        found = self.child(name)
        return "".join(found.text) if found else ""

    def inside(self, name: str) -> list[Element]:
        """The children of the first child of that name."""
        found = self.child(name)
        return found.children if found else []


def parse(data: bytes) -> tuple[Object, str]:
    """The document, and the name space of its root. Raises: IntegrityError, SourceError for what is no good XML."""
    root = _tree(data)
    space, _, _ = root.name.rpartition(" ")
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": space.rpartition("/")[2],
        "serialNumber": root.attributes.get("serialNumber", ""),
        "metadata": _metadata(root.child("metadata")),
        "components": [_component(each) for each in root.inside("components")],
        "compositions": [{"aggregate": each.said("aggregate")} for each in root.inside("compositions")],
    }
    return document, space


def _tree(data: bytes) -> Element:
    from xml.parsers import expat

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    building = _Building()
    parser.StartElementHandler = building.start
    parser.EndElementHandler = building.end
    parser.CharacterDataHandler = building.characters
    parser.StartDoctypeDeclHandler = _refuse
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, LookupError, ValueError) as error:  # the latter two: encodings that it does not know
        raise IntegrityError(f"the XML is damaged: {error}", hint="it may be cut short: write it again") from error
    if building.root is None:
        raise IntegrityError("the XML holds no element")
    return building.root


def _refuse(*_: object) -> None:
    raise SourceError("the XML has a document type, which an SBOM has no use for", hint="remove <!DOCTYPE …>")


class _Building:
    """The tree so far."""

    def __init__(self) -> None:
        self.root: Element | None = None
        self._open: list[Element] = []
        self._count = 0
        self._names: set[str] = set()

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if len(self._open) >= MAX_DEPTH or self._count > MAX_ELEMENTS:
            what = f"more than {MAX_ELEMENTS} elements" if self._count > MAX_ELEMENTS else f"over {MAX_DEPTH} levels"
            raise TooMuchError(f"the XML has {what}: no SBOM has")
        self._names.add(name)
        self._names.update(attributes)
        if len(self._names) > MAX_NAMES:
            raise TooMuchError(f"the XML has more than {MAX_NAMES} names of elements and attributes: no SBOM has")
        # The root keeps its name space: it tells the version.
        element = Element(name.rpartition(" ")[2] if self._open else name, attributes)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)

    def end(self, _: str) -> None:
        self._open.pop()

    def characters(self, text: str) -> None:
        if not text.isspace() or self._open[-1].text:
            self._open[-1].text.append(text)


def _metadata(metadata: Element | None) -> Object:
    if metadata is None:
        return {}
    tools = metadata.child("tools")
    # Until 1.4 the tools themselves, since then components.
    listed = (tools.inside("components") or tools.children) if tools else []
    component = metadata.child("component")
    found: Object = {
        "tools": {"components": [{"name": each.said("name"), "version": each.said("version")} for each in listed]},
        "properties": _properties(metadata),
    }
    return found | ({"component": _component(component)} if component else {})


def _component(component: Element) -> Object:
    found: Object = {"type": component.attributes.get("type", ""), "bom-ref": component.attributes.get("bom-ref", "")}
    for name in ("publisher", "group", "name", "version", "description", "scope", "cpe", "purl"):
        if said := component.said(name):
            found[name] = said
    if supplier := component.child("supplier"):
        found["supplier"] = {"name": supplier.said("name")}
    if licenses := component.inside("licenses"):
        found["licenses"] = [_license(each) for each in licenses]
    if properties := _properties(component):
        found["properties"] = properties
    if evidence := component.child("evidence"):
        found["evidence"] = {
            "occurrences": [
                {"location": each.said("location"), "additionalContext": each.said("additionalContext")}
                for each in evidence.inside("occurrences")
            ]
        }
    if components := component.inside("components"):
        found["components"] = [_component(each) for each in components]
    return found


def _license(element: Element) -> Object:
    if element.name == "expression":
        return {"expression": "".join(element.text)}
    return {"license": {"id": element.said("id"), "name": element.said("name")}}


def _properties(element: Element) -> list[Object]:
    return [
        {"name": each.attributes.get("name", ""), "value": "".join(each.text)} for each in element.inside("properties")
    ]
