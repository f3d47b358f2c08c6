"""The image configuration: what the image runs as, how it was built, and which instruction made which layer.

Format: OCI image-spec, config.md, and Docker's own additions to it (``Healthcheck``); the history's ``created_by`` is
free text, in practice ``/bin/sh -c #(nop)  CMD ["sh"]`` from the classic builder and ``CMD ["sh"]`` or
``RUN /bin/sh -c apt-get update # buildkit`` from BuildKit.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from anchorecli.errors import IntegrityError
from anchorecli.model import DiffId, HistoryEntry, ImageConfig, Json, Layer, Platform
from anchorecli.source.documents import Descriptor, clean, load_json, text_map

_DIFF_ID = re.compile(r"sha256:[0-9a-f]{64}")
_NOP = re.compile(r"^(?:/bin/sh -c|cmd /S /C|powershell [^#]*) #\(nop\)\s+")
_BUILD_ARGS = re.compile(r"^\|\d+ ")
_SHELLS = ("/bin/sh -c ", "cmd /S /C ")


MAX_INSTRUCTION = 4096
"""Characters: each match and each package of a layer tells its instruction. The history has all of it."""


def read_config(data: bytes, subject: str) -> tuple[ImageConfig, tuple[DiffId, ...]]:
    """The configuration and its diff_ids, lowest layer first. Raises: IntegrityError where it is unusable."""
    document = load_json(data, subject)
    rootfs = document.get("rootfs") if isinstance(document, dict) else None
    diff_ids = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
    if diff_ids is None and isinstance(rootfs, dict):
        diff_ids = []  # an image without layers
    if not isinstance(diff_ids, list) or not all(isinstance(d, str) and _DIFF_ID.fullmatch(d) for d in diff_ids):
        raise IntegrityError(f"{subject} names no layers (rootfs.diff_ids)", hint="it is not an image's configuration")
    return build_config(document, data.decode("utf-8")), tuple(DiffId(digest) for digest in diff_ids)


def build_config(document: dict[str, Json], raw: str) -> ImageConfig:
    """An ``ImageConfig`` from a parsed document; what has a wrong type there counts as not set."""
    config = document.get("config")
    config = config if isinstance(config, dict) else {}
    health = config.get("Healthcheck")
    return ImageConfig(
        platform=Platform(*(_text(document.get(key)) for key in ("os", "architecture", "variant"))),
        created=_text(document.get("created")),
        author=_text(document.get("author")),
        user=_text(config.get("User")),
        working_dir=_text(config.get("WorkingDir")),
        stop_signal=_text(config.get("StopSignal")),
        env=_texts(config.get("Env")),
        cmd=_texts(config.get("Cmd")),
        entrypoint=_texts(config.get("Entrypoint")),
        exposed_ports=_keys(config.get("ExposedPorts")),
        volumes=_keys(config.get("Volumes")),
        labels=text_map(config.get("Labels")),
        healthcheck=_texts(health.get("Test")) if isinstance(health, dict) else (),
        history=_history(document.get("history")),
        raw=raw,
    )


def describe_layers(
    config: ImageConfig, diff_ids: Sequence[DiffId], blobs: Sequence[Descriptor], subject: str
) -> tuple[Layer, ...]:
    """The layers, each with its blob and the instruction that made it.

    Raises: IntegrityError where the manifest and the configuration do not name equally many layers.
    """
    if len(blobs) != len(diff_ids):
        raise IntegrityError(
            f"{subject}: the manifest has {len(blobs)} layers, the configuration {len(diff_ids)}",
            hint="the image is damaged: fetch it again",
        )
    steps: Sequence[HistoryEntry | None] = [step for step in config.history if not step.empty_layer]
    if len(steps) != len(diff_ids):  # squashed, or built by a tool that keeps no history: better none than a wrong one
        steps = [None] * len(diff_ids)
    return tuple(
        Layer(
            diff_id=diff_id,
            digest=blob.digest,
            size=blob.size,
            media_type=blob.media_type,
            instruction=_short(instruction(step.created_by)) if step else "",
            created=step.created if step else "",
        )
        for diff_id, blob, step in zip(diff_ids, blobs, steps, strict=True)
    )


def _short(text: str) -> str:
    return text if len(text) <= MAX_INSTRUCTION else text[:MAX_INSTRUCTION] + "…"


def instruction(created_by: str) -> str:
    """A history entry's ``created_by`` as the Dockerfile instruction it came from, as far as that can be told."""
    text = created_by.strip()
    nop = _NOP.match(text)
    if nop:
        return text[nop.end() :].strip()
    text = text.removesuffix("# buildkit").rstrip()
    command = text.removeprefix("RUN ")
    if _BUILD_ARGS.match(command):
        # "|2 A=1 B=2 /bin/sh -c make": the builder puts the build arguments in front of the shell.
        for shell in _SHELLS:
            _, found, rest = command.partition(f" {shell}")
            if found:
                return f"RUN {rest.strip()}"
    for shell in _SHELLS:
        if command.startswith(shell):
            return f"RUN {command.removeprefix(shell).strip()}"
    return text


def _history(value: Json) -> tuple[HistoryEntry, ...]:
    entries = value if isinstance(value, list) else []
    return tuple(
        HistoryEntry(
            created_by=_text(entry.get("created_by")),
            created=_text(entry.get("created")),
            comment=_text(entry.get("comment")),
            author=_text(entry.get("author")),
            empty_layer=entry.get("empty_layer") is True,
        )
        for entry in entries
        if isinstance(entry, dict)
    )


def _text(value: Json) -> str:
    return clean(value) if isinstance(value, str) else ""


def _texts(value: Json) -> tuple[str, ...]:
    if isinstance(value, str):
        return (clean(value),)
    return tuple(clean(item) for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def _keys(value: Json) -> tuple[str, ...]:
    """The sorted keys of a JSON object that is used as a set."""
    return tuple(sorted(clean(key) for key in value)) if isinstance(value, dict) else ()
