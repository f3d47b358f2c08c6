"""Gate packages: what fires, what does not, with the ids and messages of Anchore Engine."""

from __future__ import annotations

from hashlib import md5

import pytest

from anchorecli.model import Status
from anchorecli.policy.evaluate import evaluate

from .evidence import bundle, evidence, fired, messages, package, rule_line

RPM = package("bash", "1:5.1-2.el9", "rpm")
IMAGE = evidence(
    [package("openssl", "3.0.1-1"), RPM, package("musl", "1.2.4-r1", "apk"), package("flask", "2.0", "pypi")]
)


def identity(trigger: str, message: str) -> str:
    return md5(f"packages{trigger}{message}".encode()).hexdigest()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"name": "curl"}, "Required input package (curl) is not present in container image"),
        (
            {"name": "curl", "version": "8"},
            "Required input package (curl,8) is not present in container image",
        ),
        (
            {"name": "openssl", "version": "3.0.2-1", "version_match_type": "minimum"},
            "Required min-version input package (openssl) is present (3.0.1-1), "
            "but is lower version than what is specified in policy (3.0.2-1)",
        ),
    ],
)
def test_required_package_fires(params, message):
    assert fired("packages", "required_package", IMAGE, **params) == [(identity("required_package", message), message)]


def test_an_exact_mismatch_names_the_version_and_keeps_the_id():
    found = fired("packages", "required_package", IMAGE, name="openssl", version="3.0.2-1")
    head = "Required input package (openssl) is present (3.0.1-1), but not at the version specified in policy"
    assert found == [(identity("required_package", f"{head} (openssl)"), f"{head} (3.0.2-1)")]


@pytest.mark.parametrize(
    "params",
    [
        {"name": "openssl"},
        {"name": "openssl", "version": "3.0.1-1"},
        {"name": "openssl", "version": "3.0.1-1", "version_match_type": "minimum"},
        {"name": "openssl", "version": "3.0.1~rc1-1", "version_match_type": "minimum"},
        {"name": "flask", "version": "1.9", "version_match_type": "minimum"},
    ],
)
def test_required_package_is_satisfied(params):
    assert messages("packages", "required_package", IMAGE, **params) == []


def test_any_of_several_packages_satisfies():
    given = evidence([package("libc6", "2.30-1"), package("libc6", "2.36-9", arch="i386")])
    for match_type in ("exact", "minimum"):
        params = {"name": "libc6", "version": "2.36-9", "version_match_type": match_type}
        assert messages("packages", "required_package", given, **params) == []


def test_a_version_that_cannot_be_compared_is_a_problem():
    given = evidence([package("x", "1", "odd", scheme="no-such-scheme")])
    rule = rule_line("packages", "required_package", "WARN", name="x", version="2", version_match_type="minimum")
    verdict = evaluate(bundle(rule), given)
    assert len(verdict.findings) == 1
    assert verdict.status is Status.INDETERMINATE
    assert "could not compare its version" in verdict.problems[0].message


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"name": "bash"}, "Package is blacklisted: bash"),
        ({"name": "openssl", "version": "3.0.1-1"}, "Package is blacklisted: openssl-3.0.1-1"),
        ({"name": "bash", "version": "1:5.1"}, "Package is blacklisted: bash-1:5.1"),
        ({"name": "bash", "version": "5.1"}, "Package is blacklisted: bash-5.1"),
        ({"name": "bash", "version": "1:5.1-2.el9"}, "Package is blacklisted: bash-1:5.1-2.el9"),
        ({"name": "musl", "version": "1.2.4"}, "Package is blacklisted: musl-1.2.4"),
        ({"name": "flask", "version": "2.0"}, "Package is blacklisted: flask-2.0"),
    ],
)
def test_blacklist_fires(params, message):
    assert fired("packages", "blacklist", IMAGE, **params) == [(identity("blacklist", message), message)]


@pytest.mark.parametrize(
    "params", [{"name": "nano"}, {"name": "bash", "version": "5"}, {"name": "openssl", "version": "3.0.1"}]
)
def test_blacklist_is_silent(params):
    assert messages("packages", "blacklist", IMAGE, **params) == []


def test_enterprise_spelling():
    assert messages("packages", "denylist", IMAGE, name="bash") == ["Package is blacklisted: bash"]
