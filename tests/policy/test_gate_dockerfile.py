"""Gate dockerfile: what fires, what does not, with the ids and messages of Anchore Engine."""

from __future__ import annotations

from hashlib import md5

import pytest

from anchorecli.model import HistoryEntry, ImageRef
from anchorecli.policy.evaluate import evaluate
from anchorecli.policy.facts.dockerfile import dockerfile

from .evidence import bundle, config, evidence, fired, messages, rule_line
from .golden import Golden

BUILDKIT = [
    HistoryEntry("ADD rootfs.tar / # buildkit", comment="buildkit.dockerfile.v0"),
    HistoryEntry("RUN /bin/sh -c apt-get update # buildkit", comment="buildkit.dockerfile.v0"),
    HistoryEntry("EXPOSE map[22/tcp:{} 8080/tcp:{}]", empty_layer=True, comment="buildkit.dockerfile.v0"),
    HistoryEntry('HEALTHCHECK &{["CMD-SHELL" "curl -f localhost"] "30s" "3s"}', empty_layer=True),
    HistoryEntry("USER app", empty_layer=True),
]
CLASSIC = [
    "/bin/sh -c #(nop) ADD file:abc in / ",
    "/bin/sh -c apt-get update",
    "/bin/sh -c #(nop)  EXPOSE 22 8080",
    '/bin/sh -c #(nop)  HEALTHCHECK &{["CMD-SHELL" "curl"] "0s"}',
    "/bin/sh -c #(nop)  USER app",
]


def instructions(given):
    return [f"{directive} {rest}" for directive, rest in dockerfile(given).instructions]


def test_the_check_value_of_the_id_rule():
    found = fired("dockerfile", "instruction", evidence(), instruction="HEALTHCHECK", check="not_exists")
    assert found == [
        (
            "41cb7cdf04850e33a11f80c42bf660b3",
            "Dockerfile directive 'HEALTHCHECK' not found, matching condition 'not_exists' check",
        )
    ]


@pytest.mark.parametrize("history", [BUILDKIT, CLASSIC], ids=["buildkit", "classic"])
def test_history_of_either_builder_is_read(history):
    given = evidence(settings=config(history, user="app"))
    assert messages("dockerfile", "instruction", given, instruction="HEALTHCHECK", check="not_exists") == []
    assert len(messages("dockerfile", "instruction", given, instruction="RUN", check="exists")) == 1
    assert messages("dockerfile", "instruction", given, instruction="USER", check="=", value="app") == [
        "Dockerfile directive 'USER' check '=' matched against 'app' for line 'app'"
    ]
    assert messages("dockerfile", "instruction", given, instruction="FROM", check="=", value="scratch") != []


def test_guessed_from_history_and_configuration():
    history = ["/bin/sh -c #(nop) ADD file:a in / ", "|1 A=b /bin/sh -c make", "# debian.sh --arch amd64"]
    settings = config(
        history,
        user="app",
        env=("PATH=/bin", "A=b"),
        exposed_ports=("80/tcp",),
        healthcheck=("CMD-SHELL", "curl localhost"),
        cmd=("sh", "-c", "x"),
        labels={"a": "b"},
        working_dir="/",
    )
    assert instructions(evidence(settings=settings)) == [
        "FROM scratch",
        "ADD file:a in /",
        "RUN |1 A=b /bin/sh -c make",
        "RUN # debian.sh --arch amd64",
        "ENV A=b",
        "LABEL a=b",
        "EXPOSE 80/tcp",
        "USER app",
        "HEALTHCHECK CMD curl localhost",
        'CMD ["sh", "-c", "x"]',
    ]


@pytest.mark.parametrize(
    ("test", "shown"),
    [
        (("CMD", "curl", "-f"), 'CMD ["curl", "-f"]'),
        (("CMD-SHELL", "curl -f"), "CMD curl -f"),
        (("NONE",), "NONE"),
    ],
)
def test_health_checks_of_the_configuration(test, shown):
    assert instructions(evidence(settings=config(healthcheck=test))) == ["FROM scratch", f"HEALTHCHECK {shown}"]


def test_a_run_that_merely_begins_like_a_directive():
    assert instructions(evidence(settings=config(["env > /x", "RUN /bin/sh -c env"]))) == [
        "FROM scratch",
        "RUN env > /x",
        "RUN /bin/sh -c env",
    ]


def test_other_shells_mark_their_metadata_too():
    history = ["/bin/bash -o pipefail -c #(nop)  USER app", "powershell -Command #(nop)  EXPOSE 80", "#(nop) nothing"]
    assert instructions(evidence(settings=config(history))) == [
        "FROM scratch",
        "USER app",
        "EXPOSE 80",
        "RUN #(nop) nothing",
    ]


TEXT = """\
# syntax=docker/dockerfile:1
# escape=`
from debian:12 as build
RUN apt-get update && `
    # a comment inside
    apt-get install -y curl `

    && true
COPY <<EOF /etc/motd
USER nobody
EOF
user root

FROM scratch
COPY --from=build /x /x
"""


def test_a_given_dockerfile_is_joined_properly():
    assert instructions(evidence(dockerfile=TEXT)) == [
        "FROM debian:12 as build",
        "RUN apt-get update &&     apt-get install -y curl     && true",
        "COPY <<EOF /etc/motd\nUSER nobody",
        "USER root",
        "FROM scratch",
        "COPY --from=build /x /x",
    ]


def test_the_last_line_may_end_in_the_escape_character():
    assert instructions(evidence(dockerfile="FROM a\nRUN b \\\n")) == ["FROM a", "RUN b"]
    assert instructions(evidence(dockerfile="\\\n")) == []


@pytest.mark.parametrize("line", ["RUN echo $((1 << N))", "RUN echo $((1<<N))", "RUN cat <<<EOF", "RUN cat <<EOF"])
def test_what_only_looks_like_a_here_document_swallows_nothing(line):
    assert instructions(evidence(dockerfile=f"{line}\nUSER app"))[-1] == "USER app"


@pytest.mark.parametrize(
    ("check", "value", "lines"),
    [
        ("=", "debian:12", 1),
        ("!=", "debian:12", 1),
        ("like", "deb", 2),
        ("like", "bian", 0),
        ("not_like", "debian:1[0-2]", 1),
        ("in", "debian:12, alpine:3", 1),
        ("not_in", "debian:12,alpine:3", 1),
        ("exists", "", 2),
        ("=", "", 0),
        ("not_in", "", 0),
        ("not_like", "", 0),
    ],
)
def test_checks_of_instruction(check, value, lines):
    given = evidence(dockerfile="FROM debian:12\nFROM debian:9\n")
    params = {"value": value} if value else {}
    assert len(messages("dockerfile", "instruction", given, instruction="FROM", check=check, **params)) == lines


def test_guessed_dockerfiles_are_left_out_on_request():
    guessed, actual = evidence(settings=config(["USER x"])), evidence(dockerfile="FROM a\nUSER x\nEXPOSE 22")
    rule = {"instruction": "USER", "check": "exists", "actual_dockerfile_only": True}
    assert messages("dockerfile", "instruction", guessed, **rule) == []
    assert len(messages("dockerfile", "instruction", actual, **rule)) == 1
    ports = {"ports": [22], "type": "blacklist", "actual_dockerfile_only": "TRUE"}
    assert messages("dockerfile", "exposed_ports", evidence(settings=config(exposed_ports=("22/tcp",))), **ports) == []
    assert len(messages("dockerfile", "exposed_ports", actual, **ports)) == 1


@pytest.mark.parametrize(
    ("text", "user", "expected"),
    [
        ("", "", "root"),
        ("", "1000:1000", "1000:1000"),
        ("FROM a\nUSER app", "", "app"),
        ("FROM a\nUSER app\nFROM b", "", "root"),
        ("FROM a\nUSER app\nFROM b", "base", "base"),
        ("FROM a\nUSER $APP", "app", "app"),
        ("FROM a\nUSER [app]", "", "app"),
    ],
)
def test_effective_user(text, user, expected):
    given = evidence(dockerfile=text, settings=config(user=user))
    assert messages("dockerfile", "effective_user", given, users=expected, type="blacklist") == [
        f"User {expected} found as effective user, which is explicity not allowed"
    ]
    assert messages("dockerfile", "effective_user", given, users=expected, type="whitelist") == []
    assert messages("dockerfile", "effective_user", given, users="else", type="whitelist") == [
        f"User {expected} found as effective user, which is not on the allowed list"
    ]


def test_the_id_that_published_reports_have():
    given = evidence(settings=config(user="root"))
    ((identity, _),) = fired("dockerfile", "effective_user", given, users="root", type="blacklist")
    assert identity == "cbff271f45d32e78dcc1979dbca9c14d"


@pytest.mark.parametrize(
    ("user", "listed", "denied"),
    [
        ("root:root", "root", True),
        ("root:root", "0", True),
        ("0", "root", True),
        ("00:0", "root", True),
        ("app:staff", "app", True),
        ("app:staff", "app:staff", True),
        ("app", "app:staff", False),
        ("root", "root:root", False),
        ("rooty", "root", False),
        ("1000", "root,app", False),
    ],
)
def test_a_user_is_listed_with_or_without_its_group(user, listed, denied):
    given = evidence(settings=config(user=user))
    assert bool(messages("dockerfile", "effective_user", given, users=listed, type="blacklist")) is denied
    assert bool(messages("dockerfile", "effective_user", given, users=listed, type="whitelist")) is not denied


def test_exposed_ports_and_their_ids():
    given = evidence(settings=config(CLASSIC))
    message = "Dockerfile exposes port (22) which is in policy file DENIEDPORTS list"
    assert fired("dockerfile", "exposed_ports", given, ports=[22], type="blacklist") == [
        (md5(f"dockerfileexposed_ports{message}".encode()).hexdigest(), message)
    ]
    assert messages("dockerfile", "exposed_ports", given, ports="8080", type="whitelist") == [
        "Dockerfile exposes port (22) which is not in policy file ALLOWEDPORTS list"
    ]
    assert messages("dockerfile", "exposed_ports", given, ports=[80], type="blacklist") == []


@pytest.mark.parametrize(
    ("text", "ports", "kind", "shown"),
    [
        ("EXPOSE 22/tcp", "22", "blacklist", ["22/tcp"]),
        ("EXPOSE 53/udp 53", "53", "blacklist", ["53/udp", "53"]),
        ("EXPOSE 8000-8010", "8005", "blacklist", ["8000-8010"]),
        ("EXPOSE 8000-8010", "8000,8001", "whitelist", ["8000-8010"]),
        ("EXPOSE 80", "0", "blacklist", ["80"]),
        ("EXPOSE 80", "0", "whitelist", []),
        ("EXPOSE $PORT", "0", "blacklist", []),
        ("USER a", "0", "blacklist", []),
    ],
)
def test_port_forms(text, ports, kind, shown):
    found = messages("dockerfile", "exposed_ports", evidence(dockerfile=f"FROM a\n{text}"), ports=ports, type=kind)
    assert [message.split("(")[1].split(")")[0] for message in found] == shown


def test_buildkit_ports():
    given = evidence(settings=config(BUILDKIT, exposed_ports=("22/tcp", "8080/tcp")))
    assert messages("dockerfile", "exposed_ports", given, ports=[22], type="blacklist") == [
        "Dockerfile exposes port (22/tcp) which is in policy file DENIEDPORTS list"
    ]


def test_ports_that_only_the_configuration_knows():
    added = config(["EXPOSE 80"], exposed_ports=("80/tcp", "22/tcp"))
    from_base = config([], exposed_ports=("22/tcp", "80/tcp"))
    for given in (evidence(settings=added), evidence(settings=from_base, dockerfile="FROM base\nEXPOSE 80")):
        assert messages("dockerfile", "exposed_ports", given, ports=[22], type="blacklist") == [
            "Dockerfile exposes port (22/tcp) which is in policy file DENIEDPORTS list"
        ]
        assert len(messages("dockerfile", "exposed_ports", given, ports=[80], type="blacklist")) == 1


def test_no_dockerfile_provided():
    message = "Image was not analyzed with an actual Dockerfile"
    assert fired("dockerfile", "no_dockerfile_provided", evidence()) == [
        (md5(f"dockerfileno_dockerfile_provided{message}".encode()).hexdigest(), message)
    ]
    assert fired("dockerfile", "no_dockerfile_provided", evidence(dockerfile="FROM a")) == []


@pytest.mark.parametrize(
    "rule",
    [
        rule_line("dockerfile", "instruction", instruction="HEALTHCHECK", check="not_exists"),
        rule_line("dockerfile", "effective_user", users="root", type="blacklist"),
        rule_line("dockerfile", "exposed_ports", ports=[22], type="whitelist"),
    ],
)
def test_a_directory_has_nothing_to_look_at_and_says_so(rule):
    given = evidence(reference=ImageRef("dir", "dir:/srv", path="/srv"))
    verdict = evaluate(bundle(rule), given)
    assert verdict.findings == ()
    (problem,) = verdict.problems
    assert "no image configuration" in problem.message
    assert not problem.incomplete


TWO_STAGES = evidence(dockerfile="FROM debian:12\nFROM alpine:3\nUSER app\nEXPOSE 22/tcp 443\n")
PLAIN = evidence(settings=config(CLASSIC))


def case(trigger, params, *fires, given=TWO_STAGES):
    return Golden("dockerfile", trigger, given, params, tuple(("md5", message) for message in fires))


def lines(check, value, *found):
    """The cases of one operator on FROM."""
    params = {"instruction": "FROM", "check": check} | ({"value": value} if value else {})
    fires = [
        f"Dockerfile directive 'FROM' check '{check}' matched against '{value}' for line '{line}'" for line in found
    ]
    return case("instruction", params, *fires)


NOT_FOUND = "Dockerfile directive 'HEALTHCHECK' not found, matching condition 'not_exists' check"
DENIED = "Dockerfile exposes port ({}) which is in policy file DENIEDPORTS list"
NOT_ALLOWED = "Dockerfile exposes port ({}) which is not in policy file ALLOWEDPORTS list"
GOLDEN: tuple[Golden, ...] = (
    lines("=", "debian:12", "debian:12"),
    lines("=", "debian"),
    lines("!=", "debian:12", "alpine:3"),
    lines("exists", "", "debian:12", "alpine:3"),
    lines("like", "deb", "debian:12"),
    lines("like", "bian"),
    lines("not_like", ".*:12", "alpine:3"),
    lines("not_like", ".*"),
    lines("in", "alpine:3, x", "alpine:3"),
    lines("in", "alpine"),
    lines("not_in", "alpine:3", "debian:12"),
    lines("not_in", "alpine:3,debian:12"),
    case("instruction", {"instruction": "HEALTHCHECK", "check": "not_exists"}, NOT_FOUND),
    case("instruction", {"instruction": "USER", "check": "not_exists"}),
    case("instruction", {"instruction": "VOLUME", "check": "exists"}),
    case("instruction", {"instruction": "USER", "check": "exists", "actual_dockerfile_only": True}, given=PLAIN),
    case(
        "effective_user",
        {"users": "app", "type": "blacklist"},
        "User app found as effective user, which is explicity not allowed",
    ),
    case("effective_user", {"users": "root", "type": "blacklist"}),
    case(
        "effective_user",
        {"users": "root", "type": "whitelist"},
        "User app found as effective user, which is not on the allowed list",
    ),
    case("effective_user", {"users": "app,web", "type": "whitelist"}),
    case("exposed_ports", {"ports": "22,3389", "type": "blacklist"}, DENIED.format("22/tcp")),
    case("exposed_ports", {"ports": 0, "type": "blacklist"}, DENIED.format("22/tcp"), DENIED.format("443")),
    case("exposed_ports", {"ports": 21, "type": "blacklist"}),
    case("exposed_ports", {"ports": 443, "type": "whitelist"}, NOT_ALLOWED.format("22/tcp")),
    case("exposed_ports", {"ports": [22, 443], "type": "whitelist"}),
    case("exposed_ports", {"ports": 22, "type": "blacklist", "actual_dockerfile_only": True}, given=PLAIN),
    case("no_dockerfile_provided", {}, "Image was not analyzed with an actual Dockerfile", given=PLAIN),
    case("no_dockerfile_provided", {}),
)
