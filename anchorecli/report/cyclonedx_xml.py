"""An SBOM as CycloneDX 1.6 XML (see ``cyclonedx_document``), a line per component.

Format: https://cyclonedx.org/docs/1.6/xml/. Characters that XML has no way to write are escaped as Python does
(``\\x1b``); all that is not ASCII is a character reference, so that no terminal's encoding can damage it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from anchorecli.model import Report
from anchorecli.report.base import RenderOptions, Subject
from anchorecli.report.cyclonedx_document import Document, Object, document
from anchorecli.values import dataclass

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<bom xmlns="http://cyclonedx.org/schema/bom/1.6"'
_SPECIAL = re.compile(r'[&<>"#\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]')
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}


@dataclass(frozen=True, slots=True)
class CycloneDxXml:
    """The packages for tools that want XML."""

    name: str = "cyclonedx-xml"
    subject: Subject = "sbom"
    media_type: str = "application/vnd.cyclonedx+xml; version=1.6"
    description: str = "SBOM, CycloneDX 1.6 XML"

    def prepare(self) -> None:
        """Nothing here is slow to load."""

    def render(self, report: Report, options: RenderOptions) -> str:
        """The SBOM as XML text; ``options.timestamp`` must be RFC 3339 or empty."""
        return "".join(self.pieces(report, options))

    def pieces(self, report: Report, options: RenderOptions) -> Iterator[str]:
        """The same in pieces."""
        for line in _lines(document(report, options.timestamp)):
            yield line.encode("ascii", "xmlcharrefreplace").decode("ascii") + "\n"


def _lines(made: Document) -> Iterator[str]:
    yield f'{_HEAD} serialNumber="{made.serial}" version="1">'
    yield f"<metadata>{_fields(made.metadata)}</metadata>"
    yield from _block("components", map(_component, made.components))
    yield from _block("dependencies", map(_dependency, made.dependencies))
    if made.compositions:
        yield from _block("compositions", map(_composition, made.compositions))
    yield "</bom>"


def _block(name: str, items: Iterable[str]) -> Iterator[str]:
    yield f"<{name}>"
    yield from items
    yield f"</{name}>"


def _component(component: Object) -> str:
    fields = {name: value for name, value in component.items() if name not in ("type", "bom-ref")}
    reference = f' bom-ref="{_text(component["bom-ref"])}"' if "bom-ref" in component else ""
    return f'<component type="{component["type"]}"{reference}>{_fields(fields)}</component>'


def _fields(fields: Object) -> str:
    found = []
    for name, value in fields.items():
        made = _WRITERS.get(name)
        content = made(value) if made else _fields(value) if isinstance(value, dict) else _text(value)
        found.append(content if name in _BARE else f"<{name}>{content}</{name}>")
    return "".join(found)


def _dependency(dependency: Object) -> str:
    inner = "".join([f'<dependency ref="{_text(each)}"/>' for each in dependency["dependsOn"]])
    return f'<dependency ref="{_text(dependency["ref"])}">{inner}</dependency>'


def _composition(composition: Object) -> str:
    inner = "".join([f'<assembly ref="{_text(each)}"/>' for each in composition["assemblies"]])
    return (
        f"<composition><aggregate>{composition['aggregate']}</aggregate><assemblies>{inner}</assemblies></composition>"
    )


def _licenses(licenses: list[Object]) -> str:
    return "".join([_fields(each) for each in licenses])


def _properties(properties: list[Object]) -> str:
    return "".join([f'<property name="{_text(each["name"])}">{_text(each["value"])}</property>' for each in properties])


def _hashes(hashes: list[Object]) -> str:
    return "".join([f'<hash alg="{each["alg"]}">{each["content"]}</hash>' for each in hashes])


def _occurrences(occurrences: list[Object]) -> str:
    return "".join([f"<occurrence>{_fields(each)}</occurrence>" for each in occurrences])


def _contacts(contacts: list[Object]) -> str:
    return "".join([f"<contact>{_fields(each)}</contact>" for each in contacts])


_WRITERS: dict[str, Callable[..., str]] = {
    "component": _component,
    "components": lambda components: "".join(map(_component, components)),
    "contact": _contacts,
    "hashes": _hashes,
    "licenses": _licenses,
    "occurrences": _occurrences,
    "properties": _properties,
}
"""What is not an element of the same name with text or elements in it."""
_BARE = frozenset({"component", "contact"})
"""What brings its own element."""


def _text(value: str) -> str:
    """Escaped; a line break too, and the ``##`` that a CI system would read a command behind."""
    return _SPECIAL.sub(_escaped, value) if _SPECIAL.search(value) else value


def _escaped(found: re.Match[str]) -> str:
    character = found[0]
    if character == "#":
        return "&#35;" if found.string[found.start() - 1 : found.start()] == "#" else "#"
    return _ENTITIES.get(character) or character.encode("unicode_escape", "surrogatepass").decode("ascii")
