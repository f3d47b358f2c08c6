"""What only looks like a credential: examples, placeholders, references to where the real one is.

Measured on the file systems of Debian with a hundred Python and two thousand Node packages: what documentation, tests
and templates hold there is what these tests let go.
"""

from __future__ import annotations

import re
from itertools import pairwise
from math import log2

_TELLING = re.compile(
    rb"(?i)example|sample|placeholder|change[_-]?(?:me|it|this)|your[_-]?(?:own|pass|secret|token|key|api)|dummy|"
    rb"redacted|xxxx|\*{3}|\.{3}|0{8}|1234567|abcdefgh|deadbeef|insert[_-]|replace[_-]"
)
"""What no credential has in it."""
_EMPTY = re.compile(
    rb"(?i)passphrase|undefined|postgresql|postgres|password|passw0rd|rabbitmq|username|database|testing|letmein|hunter2|"
    rb"default|changed|tester|tested|rabbit|server|string|access|secret|passwd|qwerty|change|guest|super|admin|login|"
    rb"value|hello|world|tiger|false|unset|empty|mysql|redis|mongo|local|proxy|token|your|some|this|very|real|root|demo|"
    rb"fake|mock|stub|temp|http|auth|pass|user|name|host|here|todo|none|null|true|test|the|any|top|old|new|ftp|pwd|key|"
    rb"api|foo|bar|baz|qux|abc|nil|not|set|my|an|is|no|db|pw|a|[^a-z0-9]+|(?<![0-9])[0-9]{1,4}(?![0-9])"
)
"""Words that say nothing, the longer before the shorter, and what stands between them."""
_REFERENCE = re.compile(rb"^[<\[({$%]|[<>{}]|\$\{|\$\(|%\(|%[sdr]|^:[a-z]|^/run/secrets|^/")


def is_placeholder(value: bytes) -> bool:
    """Whether a value says by itself that it is no credential."""
    if len(set(value)) <= max(2, min(8, len(value) // 16)):
        return True
    return _TELLING.search(value) is not None or not _EMPTY.sub(b"", value)


def is_reference(value: bytes) -> bool:
    """Whether a value stands for what is somewhere else: a variable, a template's field, a path."""
    return _REFERENCE.search(value) is not None


def is_random(value: bytes) -> bool:
    """Whether a value has the entropy of one that a machine made: in a token of 20 characters at least 3 bits each."""
    counts = [value.count(character) for character in set(value)]
    size = len(value)
    entropy = -sum(count / size * log2(count / size) for count in counts)
    # A text of n characters has log2(n) bits at most; hexadecimal digits have 4 by themselves.
    return entropy >= min(3.0, 0.7 * log2(size)) and not _is_sequence(value)


def _is_sequence(value: bytes) -> bool:
    """Whether most characters follow each other (``abcdefgh``, ``12345678``) or are repeated."""
    steps = sum(1 for one, other in pairwise(value) if 0 <= other - one <= 1)
    return steps * 2 > len(value)
