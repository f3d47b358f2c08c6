"""Machine learning models, by what their files say of themselves.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md (little endian: ``GGUF``, version, counts of tensors
and of key-value pairs, the pairs) and https://huggingface.co/docs/safetensors (eight bytes of length, a JSON object
whose ``__metadata__`` has texts).

Not handled: models without a name of their own, other formats (ONNX, PyTorch).
"""

from __future__ import annotations

from collections.abc import Iterator
from json import loads
from typing import Any

from anchorecli.analyzers.language.core_metadata import printable
from anchorecli.analyzers.language.rows import Row, row

MAX_PAIRS = 1000
_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_TEXT, _ARRAY = 8, 9


def read(path: str, data: bytes) -> Iterator[Row]:
    """The model, where it has a name."""
    said = _gguf(data) if path.endswith(".gguf") else _safetensors(data)
    name = said.get("general.name") or said.get("modelspec.title") or ""
    if name:
        version = said.get("general.version") or said.get("modelspec.version") or "unknown"
        licences = [text] if (text := said.get("general.license") or said.get("modelspec.license")) else []
        architecture = said.get("general.architecture") or said.get("modelspec.architecture")
        yield row(
            "ml-model",
            name,
            version,
            licenses=licences,
            metadata={"architecture": architecture} if architecture else {},
        )


def _safetensors(data: bytes) -> dict[str, str]:
    length = int.from_bytes(data[:8], "little")
    if length > len(data) - 8:
        # A header of more than a megabyte: the texts stand first in it, but it is not whole.
        return {}
    try:
        document = loads(data[8 : 8 + length])
    except ValueError:
        return {}
    said: Any = document.get("__metadata__") if isinstance(document, dict) else None
    pairs = said.items() if isinstance(said, dict) else ()
    return {key: printable(value)[:300] for key, value in pairs if isinstance(value, str)}


def _gguf(data: bytes) -> dict[str, str]:
    """The texts among the pairs, as far as they are in the data."""
    found: dict[str, str] = {}
    if data[:4] != b"GGUF" or int.from_bytes(data[4:8], "little") not in (2, 3):
        return found
    at = 24
    for _ in range(min(int.from_bytes(data[16:24], "little"), MAX_PAIRS)):
        key, at = _string(data, at)
        kind = int.from_bytes(data[at : at + 4], "little")
        at += 4
        if kind == _TEXT:
            value, at = _string(data, at)
            if key.startswith("general."):
                found[key] = value[:300]
        elif kind == _ARRAY:
            at = _after_array(data, at)
        else:
            at += _SIZES.get(kind, len(data))
        if at >= len(data):
            break
    return found


def _string(data: bytes, at: int) -> tuple[str, int]:
    length = int.from_bytes(data[at : at + 8], "little")
    return printable(data[at + 8 : at + 8 + min(length, 1000)]), at + 8 + length


def _after_array(data: bytes, at: int) -> int:
    kind, count = int.from_bytes(data[at : at + 4], "little"), int.from_bytes(data[at + 4 : at + 12], "little")
    at += 12
    if kind != _TEXT:
        return at + count * _SIZES.get(kind, len(data))
    while count and at < len(data):
        at += 8 + int.from_bytes(data[at : at + 8], "little")
        count -= 1
    return at
