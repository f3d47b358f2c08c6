"""Opening images in tests, and reading what their layers hold."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from pathlib import Path
from typing import Any

from anchorecli.model import Image, Platform
from anchorecli.reference import parse_reference
from anchorecli.source import Source, SourceOptions, open_source


def opened(text: str | Path, **options: Any) -> Source:
    """The source of an image argument."""
    return open_source(parse_reference(str(text)), SourceOptions(**options))


def described(text: str | Path, **options: Any) -> Image:
    """The image of an image argument."""
    with opened(text, **options) as source:
        return source.image


def blobs(source: Source) -> list[bytes]:
    """The stored bytes of every layer, checked against the digest the blob announces."""
    found = []
    for layer in source.image.layers:
        with source.open_layer(layer) as blob:
            data = b"".join(blob.chunks(1000))  # type: ignore[union-attr]
            place = blob.file()  # type: ignore[union-attr]
            assert place is None or os.pread(place[0], place[2], place[1]) == data
            assert blob.size in (0, len(data))  # type: ignore[union-attr]
            assert blob.digest in ("", "sha256:" + hashlib.sha256(data).hexdigest())  # type: ignore[union-attr]
            found.append(data)
    return found


def names(blob: bytes) -> list[str]:
    """The paths in a layer."""
    if blob.startswith(b"\x28\xb5\x2f\xfd"):
        from backports import zstd

        blob = zstd.decompress(blob)
    with tarfile.open(fileobj=io.BytesIO(blob)) as tar:
        return tar.getnames()


def platform(text: str) -> Platform:
    """``linux/arm/v7`` as a Platform."""
    return Platform(*text.split("/"))
