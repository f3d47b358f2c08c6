"""Secrets: what each rule finds, what it lets go, and that a credential never leaves the search.

The credentials here are made up from parts, so that nobody's scanner takes this file for one that holds some.
"""

from __future__ import annotations

import base64
import json
import random
import re
import string
from itertools import cycle, islice

import pytest

from anchorecli.analyzers.demand.configured import ENV, HISTORY, LABELS, configured
from anchorecli.analyzers.demand.secret_rules import ANCHORE, TOKENS
from anchorecli.analyzers.demand.secrets import RULES, SecretAnalyzer, fingerprint, search
from anchorecli.model import HistoryEntry, ImageConfig, Platform
from tests.analyzers.view import make_view

ALNUM = string.ascii_letters + string.digits
B64 = ALNUM + "+/"


def made(length: int, letters: str = ALNUM, seed: int = 7) -> str:
    """Random characters, always the same ones."""
    source = random.Random(f"{seed} {length}")
    return "".join(source.choice(letters) for _ in range(length))


def key_body(lines: int = 6) -> str:
    return "\n".join(made(64, B64, seed) for seed in range(lines))


def pem(kind: str = "RSA ", body: str = "") -> str:
    return f"-----BEGIN {kind}PRIVATE KEY-----\n{body or key_body()}\n-----END {kind}PRIVATE KEY-----\n"


def jwt(claims: dict[str, object]) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part(claims)}.{made(43)}"


UPPER = string.ascii_uppercase + "234567"
HEX = "0123456789abcdef"
CASES = {
    "AWS_ACCESS_KEY": "aws_access_key_id = " + made(20, string.ascii_uppercase + string.digits),
    "AWS_SECRET_KEY": "aws_secret_access_key = " + made(40, B64),
    "API_KEY": "export API_KEY=" + made(32),
    "DOCKER_AUTH": '"auth": "' + base64.b64encode(b"deploy:" + made(14).encode()).decode() + '"',
    "AWS_KEY_ID": "key: AKIA" + made(16, UPPER),
    "GITHUB_TOKEN": "ghp_" + made(36),
    "GITHUB_FINE_GRAINED_TOKEN": "github_pat_" + made(22) + "_" + made(59),
    "GITLAB_TOKEN": "glpat-" + made(20, ALNUM + "_-", 5),
    "SLACK_TOKEN": "xoxb-" + made(12, string.digits) + "-" + made(24),
    "SLACK_WEBHOOK": "https://hooks.slack.com/services/T" + made(8) + "/B" + made(8) + "/" + made(24),
    "STRIPE_KEY": "sk_live_" + made(24),
    "GOOGLE_API_KEY": "AIza" + made(35, ALNUM + "_-"),
    "AZURE_STORAGE_KEY": "DefaultEndpointsProtocol=https;AccountKey=" + made(86, B64) + "==;",
    "NPM_TOKEN": "npm_" + made(36),
    "PYPI_TOKEN": "pypi-AgEIcHlwaS5vcmc" + made(80, ALNUM + "_-"),
    "DOCKER_HUB_TOKEN": "dckr_pat_" + made(27, ALNUM + "_-"),
    "DIGITALOCEAN_TOKEN": "dop_v1_" + made(64, HEX),
    "HUGGING_FACE_TOKEN": "hf_" + made(34, string.ascii_letters),
    "OPENAI_KEY": "sk-proj-" + made(74, ALNUM + "_-"),
    "ANTHROPIC_KEY": "sk-ant-api03-" + made(95, ALNUM + "_-"),
    "JWT": jwt({"sub": made(12), "exp": 1893456000}),
    "SENDGRID_KEY": "SG." + made(22) + "." + made(43),
    "TELEGRAM_BOT_TOKEN": "123987456:AA" + made(33),
    "HEROKU_KEY": "HEROKU_API_KEY=" + "-".join((made(8, HEX), "4a1b", "4c2d", "9e3f", made(12, HEX))),
    "TWILIO_TOKEN": "TWILIO_AUTH_TOKEN=" + made(32, HEX),
    "URL_PASSWORD": "postgres://app:" + made(14) + "@db.internal:5432/app",
    "GCP_SERVICE_ACCOUNT": '{"private_key_id": "' + made(40, HEX) + '", "x": "PRIVATE KEY"}',
    "VAULT_TOKEN": "hvs." + made(95, ALNUM + "_-"),
}  # fmt: skip


@pytest.mark.parametrize("rule", CASES)
def test_each_rule_finds_its_credential_in_the_midst_of_other_text(rule: str) -> None:
    text = f"# first\nlorem: ipsum\n  value = {CASES[rule]}\nlast\n"
    found = search(text.encode())
    assert [each.rule for each in found] == [rule]
    assert text.count("\n", 0, found[0].start) == 2


@pytest.mark.parametrize("prefix", sorted({prefix.decode() for prefix, _ in TOKENS}))
def test_every_token_is_found_by_its_beginning(prefix: str) -> None:
    # Long enough a tail for each; what follows the token is cut off by the end of the line.
    rule = next(rule for each, rule in TOKENS if each.decode() == prefix)
    tail = re.sub(r"^.*?" + re.escape(re.escape(prefix)), "", rule.pattern.pattern.decode())
    token = prefix + example(tail)
    assert [each.value.decode() for each in search(f"x={token}\n".encode())] == [token]


def example(tail: str) -> str:
    """Something that matches the rest of a token's expression."""
    text = ""
    tail = tail.removesuffix("(?![A-Za-z0-9_-])")
    if tail.startswith("(?:"):
        tail = tail[3:].partition("|")[0].removesuffix(")")
    parts = re.finditer(r"\[([^\]]+)\](?:\{(\d+)(?:,\d+)?\})?|(\(\?:.*\)\?|=\{0,2\})|(.)", tail)
    for position, found in enumerate(parts):
        members, count, optional, literal = found.groups()
        if literal:
            text += literal
        elif not optional:
            letters = "".join(letter for letter in map(chr, range(33, 127)) if re.match(f"[{members}]", letter))
            text += made(int(count or 1), letters, position + 3)
    return text


def test_the_five_rules_of_anchore_have_its_names_and_expressions() -> None:
    assert list(ANCHORE) == ["AWS_ACCESS_KEY", "AWS_SECRET_KEY", "PRIV_KEY", "DOCKER_AUTH", "API_KEY"]
    assert RULES["PRIV_KEY"] == "(?i)-+BEGIN(.*)PRIVATE KEY-+"
    for name in ("AWS_ACCESS_KEY", "AWS_SECRET_KEY", "DOCKER_AUTH", "API_KEY"):
        assert re.match(RULES[name], CASES[name]), name


@pytest.mark.parametrize(
    "text",
    [
        "AKIAIOSFODNN7EXAMPLE",
        "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "aws_access_key_id = AKIAXXXXXXXXXXXXXXXX",
        "api_key = <your-key>",
        "api_key = ABCDEFGHIJKLMNOPQRSTUVWX",
        "api_key = AppSyncAuthorizationType2",
        "ghp_" + "x" * 36,
        "ghp_" + "0123456789" * 3 + "012345",
        "glpat-your-token-goes-here1",
        '"auth": "node auth.js"',
        '"auth": "' + base64.b64encode(b"user:password").decode() + '"',
        "postgres://user:password@localhost/db",
        "postgres://app:app@db/app",
        "https://app:${TOKEN}@registry.internal/x",
        "https://app:%s@registry.internal/x",
        "-----BEGIN RSA PRIVATE KEY-----\n...\n-----END RSA PRIVATE KEY-----",
        'if line.startswith("-----BEGIN PRIVATE KEY-----"):',
        jwt({"sub": "1234567890", "name": "John Doe", "iat": 1516239022}),
        "disk-usage-of-the-volume-that-is-mounted-there",
        "sk-container-id-1-estimator-doc-link",
    ],
)
def test_placeholders_examples_and_ordinary_text_are_let_go(text: str) -> None:
    assert search(f"a: {text}\n".encode()) == []


def test_a_private_key_is_one_finding_whatever_its_kind_and_wrapping() -> None:
    for kind in ("", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED "):
        assert [(each.rule, each.start) for each in search(pem(kind).encode())] == [("PRIV_KEY", 0)]
    pgp = f"-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: 1\n\n{key_body()}\n-----END PGP PRIVATE KEY BLOCK-----\n"
    assert [each.rule for each in search(pgp.encode())] == ["PRIV_KEY"]
    proc = pem(body="Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00FF\n\n" + key_body())
    assert [each.rule for each in search(proc.encode())] == ["PRIV_KEY"]
    inside = json.dumps({"key": pem()})
    embedded = search(inside.encode())
    assert [each.rule for each in embedded] == ["PRIVATE_KEY"]
    # Wrapped or not, the same key has the same fingerprint.
    assert fingerprint(embedded[0].value) == fingerprint(search(pem().encode())[0].value)


def test_binary_files_are_searched_for_tokens_and_keys_only() -> None:
    token, url = CASES["GITHUB_TOKEN"], CASES["URL_PASSWORD"]
    binary = b"\0\1\2" + token.encode() + b"\0" + url.encode() + b"\0" + CASES["API_KEY"].encode()
    assert [each.rule for each in search(binary)] == ["GITHUB_TOKEN"]
    assert [each.rule for each in search(binary.replace(b"\0", b"\n"))] == ["GITHUB_TOKEN", "URL_PASSWORD", "API_KEY"]


@pytest.mark.parametrize(
    ("path", "text", "rule"),
    [
        ("root/.netrc", "machine a login b password " + made(9), "NETRC_PASSWORD"),
        ("home/x/.pgpass", "db:5432:*:app:" + made(9), "PGPASS_PASSWORD"),
        ("root/.npmrc", "//npm.example.org/:_authToken=" + made(24), "NPM_PASSWORD"),
        ("root/.pypirc", "[pypi]\nusername = me\npassword = " + made(12), "PYPI_PASSWORD"),
        ("etc/nginx/.htpasswd", "me:$apr1$" + made(8) + "$" + made(22), "HTPASSWD_HASH"),
        ("etc/shadow", "root:$6$" + made(16) + "$" + made(86) + ":19000:0:99999:7:::", "SHADOW_HASH"),
    ],
)
def test_files_that_hold_passwords_are_known_by_their_name(path: str, text: str, rule: str) -> None:
    assert [each.rule for each in search(text.encode() + b"\n", path)] == [rule]
    assert search(text.encode() + b"\n", "srv/notes.txt") == []


def test_an_assignment_needs_no_blanks() -> None:
    # Anchore's own expression does not match a value right behind the equals sign.
    value = made(40, B64)
    assert [each.value.decode() for each in search(f"AWS_SECRET_ACCESS_KEY={value}\n".encode())] == [value]


def test_a_locked_account_is_no_secret() -> None:
    assert search(b"root:*:19000:0:99999:7:::\ndaemon:!:19000::::::\n", "etc/shadow") == []


def test_environment_labels_and_history_are_searched_too() -> None:
    password, token = made(12, seed=3), CASES["GITHUB_TOKEN"]
    config = ImageConfig(
        Platform("linux", "amd64"),
        env=("PATH=/usr/bin", f"DB_PASSWORD={password}", "GPG_KEY=" + made(40, HEX), "TOKEN=${FROM_CI}", f"X={token}"),
        labels={"a.maintainer": "me", "org.example.api-token": made(20)},
        history=(
            HistoryEntry("ADD file:1 in /"),
            HistoryEntry(f"ENV DB_PASSWORD={password}"),
            HistoryEntry(f'|1 SECRET="{made(16)}" /bin/sh -c make'),
            HistoryEntry("RUN export API_TOKEN=$(cat /run/secrets/token) && ./install --password=PASSWORD"),
        ),
    )
    found = [(each.path, each.line, each.rule) for each in configured(config)]
    assert sorted(found) == sorted([
        (ENV, 2, "ENV_SECRET"),
        (ENV, 5, "GITHUB_TOKEN"),
        (LABELS, 2, "ENV_SECRET"),
        (HISTORY, 2, "ENV_SECRET"),
        (HISTORY, 3, "ENV_SECRET"),
    ])  # fmt: skip
    by_place = {(each.path, each.line): each.fingerprint for each in configured(config)}
    assert by_place[ENV, 2] == by_place[HISTORY, 2]


def test_the_credential_itself_is_in_no_fact() -> None:
    secret = made(36)
    analyzer = SecretAnalyzer.of("")
    view = make_view(analyzer, [{"app/config": f"one\ntoken=ghp_{secret}\n"}, {"app/other": f"ghp_{secret}"}])
    found = analyzer.assemble(view)
    assert [(s.path, s.line, s.rule) for s in found.secrets] == [
        ("app/config", 2, "GITHUB_TOKEN"),
        ("app/other", 1, "GITHUB_TOKEN"),
    ]
    assert len({s.fingerprint for s in found.secrets}) == 1
    assert secret not in repr([fact.value for fact in view.facts()]) + repr(found)
    assert found.looked_for["secrets"].splitlines()[2] == "PRIV_KEY=(?i)-+BEGIN(.*)PRIVATE KEY-+"


def test_what_an_upper_layer_removed_or_replaced_is_not_reported() -> None:
    analyzer = SecretAnalyzer.of("")
    token = CASES["NPM_TOKEN"]
    view = make_view(
        analyzer, [{"a": token, "b": token, "c/d": token}, {"a": "clean", ".wh.b": "", "c/.wh..wh..opq": ""}]
    )
    assert analyzer.assemble(view).secrets == ()


def test_what_still_ships_in_lower_layers_is_told_apart() -> None:
    token, other = (f"T=ghp_{made(36, seed=seed)}\n" for seed in (1, 2))
    key = pem()
    layers = [
        {"app/.env": token, "app/kept": token, "app/gone": key, "same": token, "opt/d/x": other},
        {"app/.env": "A=1\n", "app/.wh.gone": "", "same": f"# moved\n{token}", "opt/.wh.d": ""},
    ]
    analyzer = SecretAnalyzer.of("")
    found = analyzer.assemble(make_view(analyzer, layers))
    assert [(each.path, each.line) for each in found.secrets] == [("app/kept", 1), ("same", 2)]
    assert [(each.path, each.rule, each.layer[-1]) for each in found.removed_secrets] == [
        ("app/.env", "GITHUB_TOKEN", "0"),
        ("app/gone", "PRIV_KEY", "0"),
        ("opt/d/x", "GITHUB_TOKEN", "0"),
    ]


def test_larger_files_are_told_of_and_not_searched() -> None:
    analyzer = SecretAnalyzer.of("100")
    view = make_view(analyzer, [{"small": CASES["NPM_TOKEN"], "large": CASES["NPM_TOKEN"] + " " * 100}])
    found = analyzer.assemble(view)
    assert [secret.path for secret in found.secrets] == ["small"]
    assert found.looked_for["secrets.limit"] == "files of up to 100 bytes; 1 larger were not searched"
    assert (view.problems, view.read_problems) == ([], ())


def test_a_list_of_tokens_is_bounded_and_says_so() -> None:
    analyzer = SecretAnalyzer.of("")
    tokens = "\n".join("ghp_" + made(36, seed=seed) for seed in range(300))
    view = make_view(analyzer, [{"list": tokens}])
    assert len(analyzer.assemble(view).secrets) == 200
    assert [problem.message for problem in view.read_problems] == [
        "more than 200 things like credentials in one file (limit secrets.findings)"
    ]
    assert view.read_problems[0].cause == "limit_hit"


BEGINNINGS = (
    "_", "-", "A", ".", ":", "a_key=", "-key=", "://a:", ":AA", ".eyJ", "eyJ" + "a" * 9 + ".", "Abc: ",
    "-----BEGIN PRIVATE KEY-----", "_" + "a" * 15, "aws_secret_access_key = ", "AccountKey=", '"auth": "', "AKIA",
    "ghp_" + "a" * 35 + "\n", "://a:" + "usernamepass1234" * 7 + "Zz@h ", "api_key = " + "1a2b3c4d5e" * 5 + "! ",
)  # fmt: skip


@pytest.mark.parametrize("unit", BEGINNINGS)
def test_no_file_makes_the_search_slow(unit: str) -> None:
    """One that is exponential, or quadratic by a large factor, does not come to its end in any time one would wait."""
    data = "".join(islice(cycle(unit), 400_000)).encode()
    assert len(search(data)) <= len(data) // 20
    assert len(search(data + b"PRIVATE KEY")) <= len(data) // 20
