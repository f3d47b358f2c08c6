"""The gate dockerfile under ``compat: anchore-engine``: lines, users and ports as the original has them."""

from __future__ import annotations

from hashlib import md5

from hypothesis import given
from hypothesis import strategies as st

from anchorecli.model import ImageRef

from .evidence import config, evidence, fired, messages
from .facts import original
from .test_gate_dockerfile import BUILDKIT, CLASSIC


def test_the_lines_of_the_original():
    text = "FROM debian:12\nRUN apt-get update \\\n  && apt-get install -y curl\n# note\nUSER app\nFROM b\n"
    given = evidence(dockerfile=text, settings=config(user="1000"))
    run = {"instruction": "RUN", "check": "like", "value": ".*apt-get"}
    assert messages("dockerfile", "instruction", given, **run) == [
        "Dockerfile directive 'RUN' check 'like' matched against '.*apt-get' for line "
        "'apt-get update   && apt-get install -y curl'"
    ]
    message = "Dockerfile directive 'RUN' check 'like' matched against '.*apt-get' for line 'apt-get update \\'"
    identity = md5(f"dockerfileinstruction{message}".encode()).hexdigest()
    assert original("dockerfile", "instruction", given, **run) == [(identity, message)]
    assert len(original("dockerfile", "effective_user", given, users="app", type="blacklist")) == 1
    assert len(messages("dockerfile", "effective_user", given, users="1000", type="blacklist")) == 1


def test_the_original_joins_lines_that_end_in_a_literal_mark():
    given = evidence(dockerfile="FROM a\nRUN x \\$\n y\nRUN z \\$\n")
    found = original("dockerfile", "instruction", given, instruction="RUN", check="exists")
    assert [message.rpartition(" line ")[2] for _, message in found] == ["'x y'", "'z'"]


def test_the_history_of_the_original():
    """BuildKit's entries are all RUN to it; what only the configuration tells is added, so that nothing is missed."""
    given = evidence(settings=config(BUILDKIT, user="app", exposed_ports=("22/tcp", "8080/tcp")))
    found = original("dockerfile", "instruction", given, instruction="RUN", check="like", value="RUN .*apt-get")
    assert [message.rpartition(" line ")[2] for _, message in found] == ["'RUN /bin/sh -c apt-get update # buildkit'"]
    assert len(original("dockerfile", "exposed_ports", given, ports=[22], type="blacklist")) == 1
    assert len(original("dockerfile", "effective_user", given, users="app", type="blacklist")) == 1
    classic = evidence(settings=config(CLASSIC))
    for rule in (
        {"instruction": "EXPOSE", "check": "=", "value": "22 8080"},
        {"instruction": "RUN", "check": "exists"},
    ):
        assert original("dockerfile", "instruction", classic, **rule) == fired(
            "dockerfile", "instruction", classic, **rule
        )


def test_what_the_original_makes_of_users_and_port_zero():
    given = evidence(dockerfile="FROM a\nUSER root:root\nEXPOSE 80")
    assert original("dockerfile", "effective_user", given, users="root", type="blacklist") == []
    assert len(original("dockerfile", "effective_user", given, users="root:root", type="blacklist")) == 1
    assert len(original("dockerfile", "effective_user", evidence(), users="root", type="blacklist")) == 1
    assert original("dockerfile", "exposed_ports", given, ports="0", type="blacklist") == []
    assert len(original("dockerfile", "exposed_ports", given, ports="0", type="whitelist")) == 1


def test_a_directory_has_no_lines_for_the_original_either():
    given = evidence(reference=ImageRef("dir", "dir:/srv", path="/srv"))
    assert original("dockerfile", "instruction", given, instruction="HEALTHCHECK", check="not_exists") == []


LINE = st.one_of(
    st.sampled_from(["FROM a AS b", "FROM", "FROM --x", "USER", "EXPOSE x/y 99999-1", "\\", "\\$", "<<EOF"]),
    st.text(max_size=20),
)


@given(st.lists(LINE, max_size=8).map("\n".join))
def test_no_text_breaks_a_rule(text):
    for image in (evidence(dockerfile=text), evidence(settings=config([text]))):
        for read in (fired, original):
            read("dockerfile", "instruction", image, instruction="FROM", check="not_in", value="b,c")
            read("dockerfile", "effective_user", image, users="root", type="whitelist")
            read("dockerfile", "exposed_ports", image, ports="0", type="blacklist")
            read("ancestry", "allowed_base_image_tag", image, base_tag="a")
