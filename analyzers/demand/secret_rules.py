"""What looks like a credential: named rules, and the words by which a file that may hold one is told from the others.

Format: the first five rules bear the names and expressions of Anchore Engine's default configuration
(``secret_search.regexp_match``), since whitelists and rules name them. The others follow the forms that the issuers
document for their tokens (GitHub, GitLab, AWS, Slack, Stripe, Google, Azure, npm, PyPI, Docker, DigitalOcean, Hugging
Face, OpenAI, Anthropic, JWT RFC 7519, PEM RFC 7468, netrc(5), pgpass of PostgreSQL, RFC 3986 user information …).

Every expression takes time linear in what it looks at: each repetition is bounded and ends at a character that it
cannot itself take.
"""

from __future__ import annotations

import re
from base64 import b64decode, urlsafe_b64decode
from collections.abc import Callable, Mapping
from typing import NamedTuple

from anchorecli.analyzers.demand.placeholders import is_placeholder, is_random, is_reference

ANCHORE: Mapping[str, str] = {
    "AWS_ACCESS_KEY": r"(?i).*aws_access_key_id( *=+ *).*(?<![A-Z0-9])[A-Z0-9]{20}(?![A-Z0-9]).*",
    "AWS_SECRET_KEY": r"(?i).*aws_secret_access_key( *=+ *).*(?<![A-Za-z0-9/+=])[A-Za-z0-9/+=]{40}(?![A-Za-z0-9/+=]).*",
    "PRIV_KEY": r"(?i)-+BEGIN(.*)PRIVATE KEY-+",
    "DOCKER_AUTH": r"(?i).*\"auth\": *\".+\"",
    "API_KEY": r"(?i).*api(-|_)key( *=+ *).*(?<![A-Z0-9])[A-Z0-9]{20,60}(?![A-Z0-9]).*",
}
"""The five rules of Anchore Engine, as its configuration has them: name → expression, matched from a line's start."""

_EXAMPLE_CLAIMS = re.compile(rb"1234567890|John Doe|\"some\" ?: ?\"payload\"|example|^\{\}$")

Check = Callable[[bytes], bool]


class Rule(NamedTuple):
    """One rule. ``pattern`` is searched for; its last group, or else the whole, is the credential itself."""

    name: str
    pattern: re.Pattern[bytes]
    check: Check
    shown: str = ""
    """The expression in the words of Anchore's configuration, where it differs from ``pattern``."""

    @property
    def regex(self) -> str:
        """The expression as it is shown to people."""
        return self.shown or self.pattern.pattern.decode()


def _plain(value: bytes) -> bool:
    return not is_placeholder(value) and not is_reference(value)


def _random(value: bytes) -> bool:
    return not is_placeholder(value) and is_random(value)


def _mixed(value: bytes) -> bool:
    # A name in a program may end in a digit; of twenty random characters three are digits.
    return _random(value) and sum(48 <= character <= 57 for character in value) > 2


def _jwt(value: bytes) -> bool:
    """A token that says something of somebody: not the one of jwt.io, nor one without claims of time or place."""
    payload = value.split(b".")[1]
    try:
        claims = urlsafe_b64decode(payload + b"=" * (-len(payload) % 4))
    except ValueError:
        return False
    return _random(value) and _EXAMPLE_CLAIMS.search(claims) is None


def _password(value: bytes) -> bool:
    return len(value) >= 6 and _plain(value) and not value.isalpha()


def _docker(value: bytes) -> bool:
    """Base64 of ``user:password``, or something as random."""
    try:
        user, colon, password = b64decode(value, validate=True).partition(b":")
    except ValueError:
        return b" " not in value and len(value) >= 16 and _mixed(value) and _plain(value)
    return bool(colon and user and password) and _plain(password) if colon else _mixed(value)


def _rule(name: str, pattern: bytes, check: Check = _plain) -> Rule:
    return Rule(name, re.compile(pattern), check, ANCHORE.get(name, ""))


_END = rb"(?![A-Za-z0-9_-])"
_WORD = rb"(?<![A-Za-z0-9_])"


def _token(name: str, prefix: bytes, rest: bytes, check: Check = _random) -> tuple[bytes, Rule]:
    return prefix, _rule(name, rb"(?<![A-Za-z0-9])" + re.escape(prefix) + rest, check)


TOKENS: tuple[tuple[bytes, Rule], ...] = (
    _token("GITHUB_TOKEN", b"ghp_", rb"[A-Za-z0-9]{36}" + _END),
    _token("GITHUB_TOKEN", b"gho_", rb"[A-Za-z0-9]{36}" + _END),
    _token("GITHUB_TOKEN", b"ghu_", rb"[A-Za-z0-9]{36}" + _END),
    _token("GITHUB_TOKEN", b"ghs_", rb"[A-Za-z0-9]{36}" + _END),
    _token("GITHUB_TOKEN", b"ghr_", rb"[A-Za-z0-9]{36,76}" + _END),
    _token("GITHUB_FINE_GRAINED_TOKEN", b"github_pat_", rb"[A-Za-z0-9]{22}_[A-Za-z0-9]{59}" + _END),
    _token("NPM_TOKEN", b"npm_", rb"[A-Za-z0-9]{36}" + _END),
    _token("HUGGING_FACE_TOKEN", b"hf_", rb"[A-Za-z]{34}" + _END),
    _token("DIGITALOCEAN_TOKEN", b"dop_v1_", rb"[a-f0-9]{64}" + _END),
    _token("DIGITALOCEAN_TOKEN", b"doo_v1_", rb"[a-f0-9]{64}" + _END),
    _token("DIGITALOCEAN_TOKEN", b"dor_v1_", rb"[a-f0-9]{64}" + _END),
    _token("STRIPE_KEY", b"sk_live_", rb"[A-Za-z0-9]{24,247}" + _END),
    _token("STRIPE_KEY", b"rk_live_", rb"[A-Za-z0-9]{24,247}" + _END),
    _token("STRIPE_WEBHOOK_SECRET", b"whsec_", rb"[A-Za-z0-9+/]{32,64}={0,2}" + _END),
    _token("GROQ_KEY", b"gsk_", rb"[A-Za-z0-9]{52}" + _END),
    _token("SHOPIFY_TOKEN", b"shpat_", rb"[a-fA-F0-9]{32}" + _END),
    _token("SHOPIFY_TOKEN", b"shppa_", rb"[a-fA-F0-9]{32}" + _END),
    _token("SHOPIFY_TOKEN", b"shpss_", rb"[a-fA-F0-9]{32}" + _END),
    _token("RUBYGEMS_KEY", b"rubygems_", rb"[a-f0-9]{48}" + _END),
    _token("LINEAR_KEY", b"lin_api_", rb"[A-Za-z0-9]{40}" + _END),
    _token("DOCKER_HUB_TOKEN", b"dckr_pat_", rb"[A-Za-z0-9_-]{27}" + _END),
    _token("DOCKER_HUB_TOKEN", b"dckr_oat_", rb"[A-Za-z0-9_-]{27,32}" + _END),
    _token("GITLAB_TOKEN", b"glpat-", rb"[A-Za-z0-9_-]{20,64}(?:\.[0-9a-z]{2}\.[0-9a-z]{7,9})?" + _END),
    _token("GITLAB_TOKEN", b"gldt-", rb"[A-Za-z0-9_-]{20,64}" + _END),
    _token("GITLAB_TOKEN", b"glrt-", rb"[A-Za-z0-9_-]{20,64}" + _END),
    _token("GITLAB_TOKEN", b"glptt-", rb"[a-f0-9]{40}" + _END),
    _token("SLACK_TOKEN", b"xoxb-", rb"[0-9]{8,14}-[A-Za-z0-9-]{16,200}" + _END),
    _token("SLACK_TOKEN", b"xoxp-", rb"[0-9]{8,14}-[A-Za-z0-9-]{16,200}" + _END),
    _token("SLACK_TOKEN", b"xoxa-", rb"[0-9]{1,14}-[A-Za-z0-9-]{16,200}" + _END),
    _token("SLACK_TOKEN", b"xoxr-", rb"[0-9]{1,14}-[A-Za-z0-9-]{16,200}" + _END),
    _token("SLACK_TOKEN", b"xapp-", rb"[0-9]-[A-Z0-9]{8,14}-[0-9]{8,14}-[a-f0-9]{32,128}" + _END),
    _token("PYPI_TOKEN", b"pypi-AgE", rb"[A-Za-z0-9_-]{50,1000}" + _END),
    _token("ANTHROPIC_KEY", b"sk-ant-", rb"[a-z]{2,8}[0-9]{2}-[A-Za-z0-9_-]{80,120}" + _END),
    _token("OPENAI_KEY", b"sk-proj-", rb"[A-Za-z0-9_-]{40,200}" + _END),
    _token("OPENAI_KEY", b"sk-svcacct-", rb"[A-Za-z0-9_-]{40,200}" + _END),
    _token("OPENAI_KEY", b"sk-admin-", rb"[A-Za-z0-9_-]{40,200}" + _END),
    _token("OPENAI_KEY", b"sk-", rb"(?:[A-Za-z0-9]{48}|[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20})" + _END),
    _token("GOOGLE_OAUTH_SECRET", b"GOCSPX-", rb"[A-Za-z0-9_-]{28}" + _END),
    _token("HEROKU_KEY", b"HRKU-", rb"(?:AA[A-Za-z0-9_-]{58}|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})" + _END),
    _token("PULUMI_TOKEN", b"pul-", rb"[a-f0-9]{40}" + _END),
    _token("AGE_KEY", b"AGE-SECRET-KEY-1", rb"[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}" + _END),
    _token("AWS_KEY_ID", b"AKIA", rb"[A-Z2-7]{16}" + _END),
    _token("AWS_KEY_ID", b"ASIA", rb"[A-Z2-7]{16}" + _END),
    _token("GOOGLE_API_KEY", b"AIza", rb"[A-Za-z0-9_-]{35}" + _END),
)
"""Tokens with a beginning of their own, and that beginning: looked for in binary files too."""

DOTTED: tuple[Rule, ...] = (
    _rule("SENDGRID_KEY", rb"(?<![A-Za-z0-9])SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}" + _END, _random),
    _rule(
        "JWT", rb"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{20,1400}", _jwt
    ),
    _rule("VAULT_TOKEN", rb"(?<![A-Za-z0-9_-])hvs\.[A-Za-z0-9_-]{90,200}" + _END, _random),
    _rule(
        "SLACK_WEBHOOK", rb"hooks\.slack\.com/(?:services|workflows|triggers)/([A-Za-z0-9+/]{40,80})" + _END, _random
    ),
)
"""Tokens with a full stop in them."""

LINES: tuple[Rule, ...] = (
    _rule(
        "AWS_ACCESS_KEY",
        rb"(?i)aws_access_key_id *=++ *+[^\n]{0,64}?(?<![A-Z0-9])([A-Z0-9]{20})(?![A-Z0-9])",
        _mixed,
    ),
    _rule(
        "AWS_SECRET_KEY",
        rb"(?i)aws_secret_access_key *=++ *+[^\n]{0,64}?(?<![A-Za-z0-9/+])([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])",
        _mixed,
    ),
    _rule("API_KEY", rb"(?i)api[-_]key *=++ *+[^\n]{0,64}?(?<![A-Z0-9])([A-Z0-9]{20,60})(?![A-Z0-9])", _mixed),
    _rule("TWILIO_TOKEN", rb"(?i)twilio_?(?:auth)?_?token[\"']? *[:=]+ *[\"']?([0-9a-f]{32})(?![0-9a-f])", _mixed),
    _rule(
        "HEROKU_KEY",
        rb"(?i)heroku_api_key[\"']? *[:=]+ *[\"']?([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})(?![0-9a-f-])",
        _mixed,
    ),
)
"""Assignments to a name that ends in ``_key``, ``_key_id`` or ``_token``."""

PRIVATE_KEY = _rule("PRIV_KEY", rb"-{2,5}BEGIN ([A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?)-{2,5}")
"""The head of a key; that one follows is for the search to see."""
EMBEDDED_KEY = _rule("PRIVATE_KEY", PRIVATE_KEY.pattern.pattern)
"""The same where it does not begin its line: in JSON, YAML or a program."""
GCP_KEY = _rule("GCP_SERVICE_ACCOUNT", rb"\"private_key_id\"\s{0,8}:\s{0,8}\"([0-9a-f]{40})\"", _random)
DOCKER_AUTH = _rule("DOCKER_AUTH", rb"(?i)\"auth\" *: *\"([^\"\n]{1,2000})\"", _docker)
AZURE_KEY = _rule("AZURE_STORAGE_KEY", rb"(?:Account|SharedAccess)Key=([A-Za-z0-9+/]{43,86}={1,2})", _random)
URL_PASSWORD = _rule(
    "URL_PASSWORD",
    rb"(?<![a-z0-9+.-])[a-z][a-z0-9+]{1,20}://(?!([^\s/:@]{1,64}):\1@|(?i:user|name|your|my|foo|john|jane|scott|:pserver)[^\s/:@]{0,12}:)[^\s/:@\"'<>`\\]{0,64}:([^\s/@\"'<>`\\]{3,128})"
    rb"@(?!localhost|127\.|\[?::1|(?:[a-z0-9-]{1,60}\.)?example|(?:my|your|some)|host|server)[A-Za-z0-9\[]",
    _password,
)
"""A password in a URL; not one that is the user's name, nor one for this machine or an example's."""
TELEGRAM = _rule("TELEGRAM_BOT_TOKEN", rb"(?<![0-9A-Za-z])([0-9]{8,10}:AA[A-Za-z0-9_-]{33})" + _END, _random)

_NETRC = _rule("NETRC_PASSWORD", rb"(?<![^\s])password\s{1,8}([^\s#]{3,128})")
_PGPASS = rb"(?m)^[^#:\n]{1,256}:[^:\n]{1,32}:[^:\n]{1,128}:[^:\n]{1,128}:([^:\n]{1,256})$"
_NPMRC = rb"(?m)^[^\n=;#]{0,256}_(?:authToken|auth|password) *= *\"?([^\s\"$]{4,512})"
_HASH = rb"(?m)^[^:\n#]{1,64}:(\$(?:apr1|[0-9a-z]{1,3})\$[^\s:]{8,256})"

FILES: Mapping[str, tuple[Rule, ...]] = {
    ".netrc": (_NETRC,),
    "_netrc": (_NETRC,),
    ".pgpass": (_rule("PGPASS_PASSWORD", _PGPASS),),
    ".npmrc": (_rule("NPM_PASSWORD", _NPMRC),),
    ".pypirc": (_rule("PYPI_PASSWORD", rb"(?m)^\s{0,8}password *[:=] *(\S{3,256})"),),
    ".htpasswd": (_rule("HTPASSWD_HASH", _HASH, _random),),
    "shadow": (_rule("SHADOW_HASH", _HASH, _random),),
}
"""Files whose name says that they hold passwords: base name → rules."""

NEEDLES: tuple[bytes, ...] = (
    *dict.fromkeys(re.escape(prefix) for prefix, _ in TOKENS),
    *(rb"SG\.[A-Za-z0-9_-]{22}\.", rb"\.eyJ", rb"hvs\.", rb"hooks\.slack\.com/"),
    *(rb"(?i:aws_access_key_id)", rb"(?i:aws_secret_access_key)", rb"(?i:api[-_]key) *="),
    *(rb"(?i:twilio_?(?:auth)?_?token)", rb"(?i:heroku_api_key)", rb"(?:Account|Access)Key=", rb"(?i:\"auth\")"),
    *(rb"PRIVATE KEY", rb"://[^ \n/@]{0,64}:[^ \n/@]{3,128}@", rb":AA[A-Za-z0-9_-]{33}"),
)
"""Of these one at least stands in each file in which a rule above, but for ``FILES``, finds something.

In the forms that all engines read alike: no look-around, no class by a letter, no flag but ``(?i:)``.
"""

ENVIRONMENT = Rule(
    "ENV_SECRET",
    re.compile(
        rb"(?i)(?:^|_)(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|API_?KEY|ACCESS_KEY|PRIVATE_KEY|AUTH_KEY|CREDENTIALS?)$"
    ),
    _plain,
)
"""Names of environment variables and build arguments whose value is a credential."""


def _all_rules() -> dict[str, str]:
    single = (PRIVATE_KEY, EMBEDDED_KEY, GCP_KEY, DOCKER_AUTH, AZURE_KEY, URL_PASSWORD, TELEGRAM, ENVIRONMENT)
    named = [rule for each in FILES.values() for rule in each]
    found = dict(ANCHORE)
    for rule in (*LINES, *single, *(rule for _, rule in TOKENS), *DOTTED, *named):
        known = found.get(rule.name)
        if known is None:
            found[rule.name] = rule.regex
        elif rule.name not in ANCHORE and rule.regex not in known.split("|"):
            found[rule.name] = f"{known}|{rule.regex}"
    return found


RULES: Mapping[str, str] = _all_rules()
"""Every rule's name → its expression."""
