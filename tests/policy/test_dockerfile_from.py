"""Rules of the gate dockerfile about FROM: names, stages, and images that do not say what they were built from."""

from __future__ import annotations

from dataclasses import replace

import pytest

from .evidence import evidence, messages
from .facts import gaps, original


def test_from_is_compared_whole_and_as_the_image_alone():
    given = evidence(dockerfile="FROM --platform=linux/amd64 debian:12 AS build\nFROM build\nFROM alpine:3\n")
    rule = {"instruction": "FROM"}
    allowed = messages("dockerfile", "instruction", given, **rule, check="not_in", value="debian:12,alpine:3")
    assert allowed == []
    assert messages("dockerfile", "instruction", given, **rule, check="like", value="debian:1[0-2]$") == [
        "Dockerfile directive 'FROM' check 'like' matched against 'debian:1[0-2]$' for line "
        "'--platform=linux/amd64 debian:12 AS build'"
    ]
    found = original("dockerfile", "instruction", given, **rule, check="not_in", value="debian:12,alpine:3")
    assert [message.rpartition(" line ")[2] for _, message in found] == [
        "'--platform=linux/amd64 debian:12 AS build'",
        "'build'",
    ]


@pytest.mark.parametrize(
    ("written", "listed", "same"),
    [
        ("debian:12", "docker.io/library/debian:12", True),
        ("docker.io/library/debian:12", "debian:12", True),
        ("debian", "debian:latest", True),
        ("debian:12", "ghcr.io/debian:12", False),
        ("debian:12", "debian", False),
        ("$BASE", "$BASE", True),
    ],
)
def test_from_knows_short_and_full_names(written, listed, same):
    given = evidence(dockerfile=f"FROM {written}")
    rule = {"instruction": "FROM", "check": "in", "value": listed}
    assert bool(messages("dockerfile", "instruction", given, **rule)) is same
    assert bool(original("dockerfile", "instruction", given, **rule)) is (written == listed)


def test_what_an_image_was_built_from_is_not_guessed():
    rule = {"instruction": "FROM", "check": "in", "value": "centos:7"}
    assert "does not say what it was built from" in gaps("dockerfile", "instruction", evidence(), **rule)[0]
    assert gaps("dockerfile", "instruction", evidence(), **rule, actual_dockerfile_only=True) == []
    assert gaps("dockerfile", "instruction", evidence(dockerfile="FROM scratch"), **rule) == []
    assert gaps("dockerfile", "instruction", evidence(), **(rule | {"check": "not_in"})) == []
    noted = evidence()
    annotations = {"org.opencontainers.image.base.name": "centos:7"}
    noted = replace(
        noted, analysis=replace(noted.analysis, image=replace(noted.analysis.image, annotations=annotations))
    )
    assert len(messages("dockerfile", "instruction", noted, **rule)) == 1
