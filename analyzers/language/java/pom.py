"""What Maven leaves in an archive: pom.properties, and the few elements of a pom.xml that name an artifact.

Format: https://maven.apache.org/shared/maven-archiver/#pom-properties-content and https://maven.apache.org/pom.html ;
``artifactId=guava``. A pom.xml is looked through tag by tag, without a parser of XML: entities are not expanded, so
that none can blow up, and no more is kept than what is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from anchorecli.analyzers.language.core_metadata import printable

MAX_BYTES = 1024 * 1024
MAX_VALUE = 300
MAX_LICENSES = 8

_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)")
_PROPERTY = re.compile(r"^[ \t]*(groupId|artifactId|version)[ \t]*[=:](.*)$", re.MULTILINE)
_TAG = re.compile(rb"<(/?)([A-Za-z][A-Za-z0-9._:-]{0,100})((?:\s[^<>]{0,2000})?)>")
_REFERENCE = re.compile(r"\$\{([^${}]{1,200})\}")
_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'"), ("&amp;", "&"))
_LICENSE = "project/licenses/license/name"
_COORDINATES = ("groupId", "artifactId", "version")
_NESTING = 60


def read_properties(data: bytes) -> dict[str, str]:
    """``groupId``, ``artifactId`` and ``version``, those that are there."""
    text = data[:MAX_BYTES].decode("latin-1").replace("\r", "\n")
    found: dict[str, str] = {}
    for key, value in _PROPERTY.findall(text):
        value = printable(_ESCAPE.sub(_unescaped, value[:MAX_VALUE].strip()))
        if value:
            found[key] = value
    return found


def read_pom(data: bytes) -> tuple[dict[str, str], list[str]]:
    """``groupId``, ``artifactId`` and ``version`` (the parent's where it has none of its own), and the licences.

    ``${…}`` is replaced by properties of the same file where they say what it is, and left as it is elsewhere.
    """
    texts, licenses = _texts(_without_comments(data[:MAX_BYTES]))
    own = {key: texts[f"project/{key}"] for key in _COORDINATES if f"project/{key}" in texts}
    for key in ("groupId", "version"):
        inherited = texts.get(f"project/parent/{key}")
        if inherited and key not in own:
            own[key] = inherited
    properties = {
        path.rpartition("/")[2]: text for path, text in texts.items() if path.startswith("project/properties/")
    }
    for key, value in list(own.items()):
        for prefix in ("project", "pom"):
            properties.setdefault(f"{prefix}.{key}", value)
        if parent := texts.get(f"project/parent/{key}"):
            properties.setdefault(f"project.parent.{key}", parent)
    return {key: expanded(value, properties) for key, value in own.items()}, licenses


def expanded(text: str, properties: Mapping[str, str]) -> str:
    """``${name}`` replaced where the properties have it, a few levels deep."""
    for _ in range(4):
        if "${" not in text:
            break
        text = _REFERENCE.sub(lambda match: properties.get(match[1].strip(), match[0]), text)[:MAX_VALUE]
    return text


def _texts(data: bytes) -> tuple[dict[str, str], list[str]]:
    """The text of each wanted element by its path, the first of each, and every licence's name."""
    texts: dict[str, str] = {}
    licenses: list[str] = []
    stack: list[str] = []
    opened = 0
    for tag in _TAG.finditer(data):
        closing, attributes = tag[1], tag[3]
        name = tag[2].decode("ascii")
        if not closing:
            if not attributes.endswith(b"/"):
                stack.append(name)
                opened = tag.end()
            if len(stack) > _NESTING:
                break
            continue
        path = "/".join(stack) if len(stack) <= 4 else ""
        if opened and (text := _plain(data[opened : min(tag.start(), opened + 4 * MAX_VALUE)])):
            if path == _LICENSE and len(licenses) < MAX_LICENSES:
                licenses.append(text)
            elif path.startswith("project/") and path not in texts and len(texts) < 1000:
                texts[path] = text
        opened = 0
        if stack and stack[-1] == name:
            stack.pop()
    return texts, licenses


def _without_comments(data: bytes) -> bytes:
    first, *rest = data.split(b"<!--")
    return first + b"".join(part.partition(b"-->")[2] for part in rest)


def _plain(raw: bytes) -> str:
    text = printable(raw).strip()
    if "&" in text:
        for entity, character in _ENTITIES:
            text = text.replace(entity, character)
    return " ".join(text.removeprefix("<![CDATA[").removesuffix("]]>").split())[:MAX_VALUE]


def _unescaped(match: re.Match[str]) -> str:
    escape = match[1]
    return chr(int(escape[1:], 16)) if len(escape) == 5 else escape
