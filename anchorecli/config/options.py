"""Every setting that is one value or a list of values: its key, how text becomes its value, who may set it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

from anchorecli.model import Severity
from anchorecli.values import dataclass

HOUR = 3600
DAY = 24 * HOUR
GIB = 1 << 30

_DURATION = re.compile(r"(\d{1,9})\s*([wdhms])")
_SECONDS = {"w": 7 * DAY, "d": DAY, "h": HOUR, "m": 60, "s": 1}
_SIZE = re.compile(r"(\d{1,18})\s*([kmgt]?)(i?b)?", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_PLATFORM = re.compile(r"[a-z0-9]+/[a-z0-9_]+(?:/[a-z0-9._]+)?")
_WORDS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


# ── text → value; each raises ValueError, which says what is wanted ─────────────────────────────────────────────────


def text(value: str) -> str:
    """Any text but none."""
    if not value.strip():
        raise ValueError("a value is missing")
    return value


def boolean(value: str) -> bool:
    """In the words of YAML 1.1, and 1 and 0."""
    if value.strip().lower() not in _WORDS:
        raise ValueError("true or false is wanted")
    return _WORDS[value.strip().lower()]


def whole(value: str) -> int:
    """A number from 0."""
    if not (value.isascii() and value.isdigit() and len(value) < 16):
        raise ValueError("a whole number is wanted")
    return int(value)


def positive(value: str) -> int:
    """A number from 1."""
    number = whole(value)
    if not number:
        raise ValueError("a number above 0 is wanted")
    return number


def seconds(value: str) -> float:
    """A duration, or seconds as a plain number with or without a fraction."""
    try:
        number = float(value)
    except ValueError:
        return float(duration(value))
    if not 0 < number < 1e9:
        raise ValueError("a number of seconds above 0 is wanted")
    return number


def duration(value: str) -> int:
    """``90s``, ``30m``, ``6h``, ``5d``, ``2w`` or several in one, as seconds."""
    found = _DURATION.findall(value)
    if not found or _DURATION.sub("", value).strip():
        raise ValueError("a duration is wanted, like 90s, 30m, 6h, 5d or 1d12h")
    total = sum(int(number) * _SECONDS[unit] for number, unit in found)
    if not total:
        raise ValueError("a duration above 0 is wanted")
    return total


def size(value: str) -> int:
    """``500MB`` (decimal), ``4GiB`` (binary) or a plain number of bytes."""
    found = _SIZE.fullmatch(value.strip())
    if not found or not int(found[1]):
        raise ValueError("a size is wanted, like 4GiB or 500MB")
    base = 1024 if (found[3] or "").lower() == "ib" else 1000
    return int(found[1]) * int(base ** " kmgt".index(found[2].lower() or " "))


def platform(value: str) -> str:
    """``linux/arm64`` or ``linux/arm/v7``."""
    if not _PLATFORM.fullmatch(value):
        raise ValueError("a platform is wanted, like linux/amd64 or linux/arm/v7")
    return value


def severity(value: str) -> str:
    """A severity's label."""
    labels = [member.label for member in Severity if member is not Severity.UNKNOWN]
    if value.strip().lower() not in labels:
        raise ValueError(f"a severity is wanted: {', '.join(labels)}")
    return value.strip().lower()


def url(value: str) -> str:
    """An http or https URL."""
    try:
        split = urlsplit(value)
        usable = split.scheme in ("http", "https") and bool(split.hostname) and split.port != 0
    except ValueError:
        usable = False
    if not usable or any(character <= " " or character == "\x7f" for character in value):
        raise ValueError("an http or https URL is wanted")
    return value


def content_pattern(value: str) -> str:
    """``NAME=REGEX``, an expression whose time can be bounded."""
    from anchorecli.patterns import regex_fault

    name, equals, regex = value.partition("=")
    if not (equals and regex and _NAME.fullmatch(name)):
        raise ValueError("NAME=REGEX is wanted, the name of letters, digits, _, . and -")
    if "\n" in value:
        raise ValueError("a pattern is matched against one line and has none itself")
    if fault := regex_fault(regex):
        raise ValueError(f"no usable regular expression: {fault}")
    return value


def analyzer_limit(value: str) -> tuple[str, int]:
    """``ANALYZER.LIMIT=NUMBER``, or a size."""
    name, equals, number = value.partition("=")
    if not (equals and _NAME.fullmatch(name) and "." in name):
        raise ValueError("ANALYZER.LIMIT=NUMBER is wanted, like java.depth=50")
    return name, size(number)


def image_path(value: str) -> str:
    """The path of a file in an image, without the leading slash."""
    parts = [part for part in value.split("/") if part not in ("", ".")]
    if not parts or ".." in parts or "\n" in value:
        raise ValueError("the path of a file in the image is wanted, like /etc/passwd")
    return "/".join(parts)


def unless_off(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    """The parser, with ``off`` (or ``none``) for no bound at all."""

    def parsed(value: str) -> Any:
        return None if value.strip().lower() in ("off", "none") else parse(value)

    return parsed


# ── the table ───────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Option:
    """One setting. ``kinds`` are the types of YAML scalars it may be written as."""

    key: str
    parse: Callable[[str], Any]
    kinds: tuple[str, ...] = ("str", "int", "float")
    local: bool = False
    """Whether the working directory's file may set it."""
    path: bool = False
    many: bool = False
    long: str = ""
    """Its long option where that is not its key."""
    name: str = ""
    """Its field of ``Settings`` where that is not its key."""

    @property
    def field(self) -> str:
        """Its field of ``Settings``."""
        return self.name or self.key.replace("-", "_").replace(".", "_")

    @property
    def flag(self) -> str:
        """Its long option, as click names the parameter."""
        return (self.long or self.key).replace("-", "_").replace(".", "_")

    @property
    def variable(self) -> str:
        """Its environment variable."""
        return "ANCHORE_" + self.flag.upper()


_TEXT = ("str",)
_BOOL = ("bool", "str")
_OFF = ("str", "int", "bool")

OPTIONS = (
    Option("store", text, _TEXT, path=True),
    Option("platform", platform, _TEXT, local=True),
    Option("tls-verify", boolean, _BOOL),
    Option("authfile", text, _TEXT, path=True),
    Option("timeout", seconds),
    Option("http-timeout", seconds),
    Option("policy", text, _TEXT, local=True, path=True),
    Option("fail-on", severity, _TEXT, local=True),
    Option("vex", text, _TEXT, path=True, many=True),
    Option("output", text, _TEXT, local=True, many=True, name="outputs"),
    Option("offline", boolean, _BOOL, local=True),
    Option("quiet", boolean, _BOOL, local=True),
    Option("verbose", whole, local=True),
    Option("retention.days", unless_off(positive), _OFF),
    Option("retention.count", unless_off(positive), _OFF),
    Option("watch.interval", duration, long="interval"),
    Option("limits.layer-bytes", size),
    Option("limits.entries", positive),
    Option("limits.file-bytes", unless_off(size), _OFF),
    Option("limits.fact-bytes", size),
    Option("limits.analyzers", analyzer_limit, _TEXT, many=True),
    Option("secret-search.enabled", boolean, _BOOL, local=True, long="secrets"),
    Option("secret-search.max-file-bytes", size),
    Option("content-search", content_pattern, _TEXT, many=True),
    Option("content-search-file-bytes", size),
    Option("retrieve-files", image_path, _TEXT, many=True),
    Option("retrieve-file-bytes", size),
    Option("verify-packages", boolean, _BOOL, local=True),
    Option("certificates", boolean, _BOOL, local=True),
    Option("declared", boolean, _BOOL, local=True),
    Option("hints", boolean, _BOOL),
    Option("all-layers", boolean, _BOOL, local=True),
    Option("feeds.trusted-keys", text, _TEXT, path=True, many=True, long="trust"),
    Option("feeds.upstream", url, _TEXT, long="upstream"),
    Option("require-signed-feed", boolean, _BOOL),
    Option("malware.enabled", boolean, _BOOL, local=True, long="malware"),
    Option("malware.clamd", text, _TEXT),
)
BY_KEY = {option.key: option for option in OPTIONS}


def nearest(word: str, words: Iterable[str]) -> str:
    """A hint that names the most similar word, or all of them where none is."""
    from difflib import get_close_matches

    words = sorted(set(words))
    near = get_close_matches(word, words, 1, 0.5)
    return f"did you mean {near[0]}?" if near else f"one of {', '.join(words)}"
