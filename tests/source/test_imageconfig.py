"""The image configuration, and which instruction made which layer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from anchorecli.errors import IntegrityError
from anchorecli.model import DiffId, Digest, Platform
from anchorecli.source.documents import Descriptor
from anchorecli.source.imageconfig import describe_layers, instruction, read_config

DIFF_IDS = tuple(DiffId(f"sha256:{number:064x}") for number in range(3))


def config(**fields: Any) -> bytes:
    return json.dumps({"os": "linux", "architecture": "amd64", "rootfs": {"diff_ids": DIFF_IDS}} | fields).encode()


def layers(history: Any) -> list[str]:
    parsed, diff_ids = read_config(config(history=history), "subject")
    blobs = [Descriptor(Digest(f"sha256:{number:064x}"), number) for number in range(3)]
    return [layer.instruction for layer in describe_layers(parsed, diff_ids, blobs, "subject")]


def test_every_field() -> None:
    raw = config(
        variant="v3",
        created="2024-01-01T00:00:00Z",
        author="me",
        config={
            "User": "app",
            "WorkingDir": "/srv",
            "StopSignal": "SIGINT",
            "Env": ["A=1", "B="],
            "Cmd": ["run"],
            "Entrypoint": ["/bin/tini", "--"],
            "ExposedPorts": {"8080/tcp": {}, "53/udp": {}},
            "Volumes": {"/b": {}, "/a": {}},
            "Labels": {"k": "v", "n": None},
            "Healthcheck": {"Test": ["CMD-SHELL", "true"], "Interval": 5},
        },
        history=[{"created_by": "x", "created": "c", "comment": "m", "author": "a", "empty_layer": True}],
    )
    found, diff_ids = read_config(raw, "subject")
    assert diff_ids == DIFF_IDS
    assert found.platform == Platform("linux", "amd64", "v3")
    assert (found.created, found.author, found.user) == ("2024-01-01T00:00:00Z", "me", "app")
    assert (found.working_dir, found.stop_signal) == ("/srv", "SIGINT")
    assert (found.env, found.cmd, found.entrypoint) == (("A=1", "B="), ("run",), ("/bin/tini", "--"))
    assert (found.exposed_ports, found.volumes) == (("53/udp", "8080/tcp"), ("/a", "/b"))
    assert (found.labels, found.healthcheck) == ({"k": "v"}, ("CMD-SHELL", "true"))
    entry = found.history[0]
    assert (entry.created_by, entry.created, entry.comment, entry.author) == ("x", "c", "m", "a")
    assert entry.empty_layer
    assert found.raw == raw.decode()


@pytest.mark.parametrize("value", [None, 1, "x", [], {}, [None], {"Test": 3}, True])
def test_wrong_types_count_as_not_set(value: Any) -> None:
    keys = ("User", "Env", "Cmd", "Entrypoint", "ExposedPorts", "Volumes", "Labels", "Healthcheck", "WorkingDir")
    found, _ = read_config(config(config=dict.fromkeys(keys, value), history=value, created=value), "subject")
    assert found.env in ((), ("x",))
    assert found.history == ()
    read_config(config(config=value), "subject")


def test_lone_surrogates_become_printable() -> None:
    found, _ = read_config(config(config={"User": "\ud800", "Env": ["\udfff=1"], "Labels": {"\ud800": "é"}}), "subject")
    json.dumps([found.user, found.env, dict(found.labels)], ensure_ascii=False).encode("utf-8")
    assert list(found.labels.values()) == ["é"]


@pytest.mark.parametrize("document", [b"", b"[]", b"{}", b'{"rootfs": {"diff_ids": ["sha256:x"]}}', b'{"rootfs": []}'])
def test_no_configuration(document: bytes) -> None:
    with pytest.raises(IntegrityError, match="subject"):
        read_config(document, "subject")


def test_image_without_layers() -> None:
    assert read_config(b'{"rootfs": {"type": "layers"}}', "subject")[1] == ()


@pytest.mark.parametrize(
    ("created_by", "expected"),
    [
        ('/bin/sh -c #(nop)  CMD ["sh"]', 'CMD ["sh"]'),
        ("/bin/sh -c #(nop) ADD file:ab in / ", "ADD file:ab in /"),
        ("/bin/sh -c apt-get update", "RUN apt-get update"),
        ("|1 A=b c /bin/sh -c make", "RUN make"),
        ("RUN /bin/sh -c apt-get update # buildkit", "RUN apt-get update"),
        ("RUN |2 A=1 B=2 /bin/sh -c make -j # buildkit", "RUN make -j"),
        ("RUN /bin/bash -o pipefail -c set -x # buildkit", "RUN /bin/bash -o pipefail -c set -x"),
        ("COPY . /app # buildkit", "COPY . /app"),
        ('HEALTHCHECK &{["CMD" "true"] }', 'HEALTHCHECK &{["CMD" "true"] }'),
        ("USER app", "USER app"),
        ("cmd /S /C echo", "RUN echo"),
        ("cmd /S /C #(nop)  USER x", "USER x"),
        ("RUN apk add curl", "RUN apk add curl"),
        ("# debian.sh --arch 'amd64' out/ 'bookworm'", "# debian.sh --arch 'amd64' out/ 'bookworm'"),
        ("bazel build ...", "bazel build ..."),
        ("", ""),
    ],
)
def test_instructions(created_by: str, expected: str) -> None:
    assert instruction(created_by) == expected


def step(created_by: str, empty: bool = False) -> dict[str, Any]:
    return {"created_by": created_by, "empty_layer": True} if empty else {"created_by": created_by}


def test_empty_layers_do_not_shift_the_instructions() -> None:
    history = [
        step("# base"),
        step("ENV A=1", empty=True),
        step("RUN /bin/sh -c one # buildkit"),
        step("CMD x", empty=True),
        step("COPY a b # buildkit"),
        step("USER x", empty=True),
    ]
    assert layers(history) == ["# base", "RUN one", "COPY a b"]


@pytest.mark.parametrize("history", [None, [], [step("RUN a")], [step("RUN a")] * 4, [step("x", empty=True)] * 3])
def test_history_that_does_not_fit_gives_no_instruction(history: Any) -> None:
    assert layers(history) == ["", "", ""]
