"""The instructions of a Dockerfile: of the one the user gave, or as the image's configuration and history tell.

Format: history entries (OCI image-spec, config.md) come in three spellings::

    /bin/sh -c #(nop)  CMD ["bash"]                     the classic builder
    RUN /bin/sh -c apt-get update # buildkit            BuildKit
    /bin/sh -c apt-get update                           the classic builder's RUN

What the configuration holds and no history entry tells (``docker commit``, build packs, squashed history) is added,
so that a rule about HEALTHCHECK, USER or EXPOSE sees what the image really has.

Not handled: variables; where a value holds one, the configuration is asked instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from anchorecli.model import HistoryEntry, ImageConfig
from anchorecli.policy.base import Evidence
from anchorecli.policy.facts.base_image import ANNOTATIONS, claims

DIRECTIVES = tuple(
    "ADD ARG COPY CMD ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD USER RUN SHELL STOPSIGNAL VOLUME "
    "WORKDIR".split()
)
UNKNOWN_BASE = "scratch"
"""What stands after FROM where nothing tells, as in the original."""
_NOP = "#(nop)"


class Instruction(NamedTuple):
    """One instruction: the directive in upper case and the rest of its line as written."""

    directive: str
    rest: str

    @classmethod
    def of(cls, line: str) -> Instruction:
        """A line that is not blank, taken apart."""
        parts = line.split(None, 1)
        return cls(parts[0].upper(), parts[1].strip() if len(parts) > 1 else "")


class Dockerfile(NamedTuple):
    """The instructions in order; ``actual`` where the user gave the Dockerfile, else they are guessed."""

    instructions: tuple[Instruction, ...]
    actual: bool


class Port(NamedTuple):
    """An exposed port or range: as written, and its bounds."""

    written: str
    first: int
    last: int


def dockerfile(evidence: Evidence) -> Dockerfile:
    """The Dockerfile of the image; without instructions where there is neither a Dockerfile nor an image."""
    if evidence.dockerfile.strip():
        from anchorecli.policy.facts.dockerfile_text import instructions

        return Dockerfile(tuple(instructions(evidence.dockerfile)), True)
    if is_without_configuration(evidence):
        return Dockerfile((), False)
    image = evidence.analysis.image
    # Only annotations speak of this image; the labels may be those of the base image.
    base = next((claim.name for claim in claims(image) if claim.source == ANNOTATIONS), "")
    told = [_from_history(entry) for entry in image.config.history if entry.created_by.strip()]
    return Dockerfile((Instruction("FROM", base or UNKNOWN_BASE), *with_configuration(told, image.config)), False)


def is_without_configuration(evidence: Evidence) -> bool:
    """Whether there is no image, only files: a directory, or the tar of one."""
    return evidence.analysis.image.is_only_files


def base_of(file: Dockerfile) -> str:
    """The image that the last stage of a given Dockerfile is built from, empty where it does not tell."""
    stages: dict[str, str] = {}
    base = ""
    for directive, rest in file.instructions if file.actual else ():
        if directive == "FROM":
            image, name = from_parts(rest)
            base = stages.get(image.lower(), image)
            if name:
                stages[name.lower()] = base
    return base


def from_parts(rest: str) -> tuple[str, str]:
    """The image and the stage's name in what follows FROM: ``--platform=… debian:12 AS build``."""
    words = [word for word in rest.split() if not word.startswith("--")]
    named = len(words) > 2 and words[1].lower() == "as"
    return words[0] if words else "", words[2] if named else ""


def with_configuration(told: list[Instruction], config: ImageConfig) -> Iterator[Instruction]:
    """Instructions, and after them what the configuration knows and none of them tells."""
    yield from told
    seen = {instruction.directive for instruction in told}
    for instruction in _from_config(config):
        if instruction.directive not in seen:
            yield instruction
    if "EXPOSE" in seen:
        known = exposed_ports(Dockerfile(tuple(told), False))
        missing = [port.written for port in config_ports(config) if not _among(port, known)]
        if missing:
            yield Instruction("EXPOSE", " ".join(missing))


def effective_user(file: Dockerfile, config: ImageConfig) -> str:
    """The user the image runs as: of the last stage's last USER, else the configuration's, else ``root``."""
    user = ""
    for directive, rest in file.instructions if file.actual else ():
        if directive == "FROM":
            user = ""
        elif directive == "USER":
            user = rest
    if not user or "$" in user:
        user = config.user or "root"
    return user.strip("[] ")


def exposed_ports(file: Dockerfile) -> tuple[Port, ...]:
    """The ports of every EXPOSE, once each."""
    tokens = (token for directive, rest in file.instructions if directive == "EXPOSE" for token in rest.split())
    ports = (_port(token) for token in tokens)
    return tuple(dict.fromkeys(port for port in ports if port is not None))


def config_ports(config: ImageConfig) -> tuple[Port, ...]:
    """The ports of the image's configuration."""
    return tuple(port for text in config.exposed_ports if (port := _port(text)) is not None)


def _port(token: str) -> Port | None:
    """``80``, ``80/tcp``, ``8000-8010``, and the forms of history: ``[80/tcp``, ``map[80/tcp:{}]``."""
    text = token.lower().strip("[]").removeprefix("map[").partition(":")[0]
    span, slash, protocol = text.partition("/")
    first, dash, last = span.partition("-")
    if not (_is_port(first) and (not dash or _is_port(last)) and (not slash or protocol.isalpha())):
        return None
    return Port(text, int(first), int(last or first))


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5


def _among(port: Port, known: tuple[Port, ...]) -> bool:
    """Whether an EXPOSE tells a port of the configuration; only an EXPOSE may leave out tcp."""
    protocol = port.written.partition("/")[2] or "tcp"
    return any(
        one.first <= port.first and port.last <= one.last and (one.written.partition("/")[2] or "tcp") == protocol
        for one in known
    )


def _from_history(entry: HistoryEntry) -> Instruction:
    text = entry.created_by.strip()
    head, marker, rest = text.partition(_NOP)
    if marker and (not head.strip() or head.split()[-1] in ("-c", "/c", "/C", "-Command")):
        instruction = Instruction.of(rest.strip() or "RUN")
        return instruction if instruction.directive in DIRECTIVES else Instruction("RUN", text)
    text = text.removesuffix("# buildkit").rstrip()
    instruction = Instruction.of(text)
    # Only the exact upper-case word is a directive: a RUN of the classic builder may well begin with `env` or `run`.
    if instruction.directive not in DIRECTIVES or not text.startswith(instruction.directive):
        return Instruction("RUN", text)
    if instruction.directive == "EXPOSE":
        ports = (_port(token) for token in instruction.rest.split())
        return Instruction("EXPOSE", " ".join(port.written for port in ports if port) or instruction.rest)
    return instruction


def _from_config(config: ImageConfig) -> Iterator[Instruction]:
    """What the configuration says, as instructions; defaults that no one wrote are left out."""
    import json

    plain = (
        ("MAINTAINER", config.author),
        ("ENV", " ".join(pair for pair in config.env if not pair.startswith("PATH="))),
        ("LABEL", " ".join(f"{name}={value}" for name, value in sorted(config.labels.items()))),
        ("EXPOSE", " ".join(config.exposed_ports)),
        ("VOLUME", " ".join(config.volumes)),
        ("WORKDIR", config.working_dir.removesuffix("/")),
        ("USER", config.user),
        ("STOPSIGNAL", config.stop_signal),
        ("HEALTHCHECK", _healthcheck(config.healthcheck)),
        ("ENTRYPOINT", json.dumps(config.entrypoint) if config.entrypoint else ""),
        ("CMD", json.dumps(config.cmd) if config.cmd else ""),
    )
    for directive, rest in plain:
        if rest:
            yield Instruction(directive, rest)


def _healthcheck(test: tuple[str, ...]) -> str:
    """``CMD-SHELL curl …`` and ``CMD curl …`` of the configuration as the instruction has them."""
    if not test:
        return ""
    import json

    kind, *arguments = test
    if kind == "CMD-SHELL":
        return "CMD " + " ".join(arguments)
    return f"CMD {json.dumps(arguments)}" if kind == "CMD" else kind
