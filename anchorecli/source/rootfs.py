"""``rootfs:`` — the tar of a root file system in the role of an image with one layer.

`docker export` and `podman export` write such tars, debootstrap and mmdebstrap, and the distributions themselves
(``alpine-minirootfs-….tar.gz``, ``rootfs.tar.xz``). There is no configuration: nothing is known of history, labels,
user and entrypoint. The platform is taken to be the host's. The layer is named by what the tar hashes to, uncompressed.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from typing import Self

from anchorecli.archive import Archive
from anchorecli.errors import IntegrityError
from anchorecli.model import DiffId, Digest, Image, ImageConfig, ImageRef, Layer, Platform
from anchorecli.source.base import FileBlob
from anchorecli.source.platforms import host_platform


class RootfsSource:
    """An image made of one tar, which it owns from now on."""

    def __init__(self, ref: ImageRef, archive: Archive, platform: Platform | None) -> None:
        self._archive = archive
        try:
            self._size = os.fstat(archive.fd).st_size
            digest = self._digest()
        except BaseException:
            self.close()
            raise
        layer = Layer(DiffId(digest), digest, self._size, "application/x-tar")
        self.image = Image(
            ref=ref,
            image_id=digest,
            digest=digest,
            config=ImageConfig(platform=platform or host_platform()),
            layers=(layer,),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def prefetch(self, layers: Sequence[Layer]) -> None:
        """Nothing to do: everything is here."""

    def open_layer(self, layer: Layer) -> FileBlob:
        """The tar. Raises: IntegrityError for a layer of another image."""
        if layer.diff_id != self.image.layers[0].diff_id:
            raise IntegrityError(f"{self._archive.path} has no layer {layer.diff_id}")
        return FileBlob(self._archive.fd, 0, self._size, layer.digest)

    def close(self) -> None:
        """Close the tar."""
        self._archive.close()

    def _digest(self) -> Digest:
        digest = hashlib.sha256()
        with FileBlob(self._archive.fd, 0, self._size) as blob:
            for chunk in blob.chunks():
                digest.update(chunk)
        return Digest("sha256:" + digest.hexdigest())
