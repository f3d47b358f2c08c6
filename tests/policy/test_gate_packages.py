"""Gate packages: what fires, what does not, with the ids and messages of Anchore Engine."""

from __future__ import annotations

from hashlib import md5

import pytest

from anchorecli.errors import BundleError
from anchorecli.model import Demand, FileDifference, ImagePath, Status
from anchorecli.policy.evaluate import evaluate
from anchorecli.policy.language.parameters import Arguments
from anchorecli.policy.language.rules import find_gate, find_trigger

from .evidence import bundle, evidence, fired, messages, package, rule_line
from .facts import gaps, original, verdict
from .golden import Golden

RPM = package("bash", "1:5.1-2.el9", "rpm")
IMAGE = evidence(
    [package("openssl", "3.0.1-1"), RPM, package("musl", "1.2.4-r1", "apk"), package("flask", "2.0", "pypi")]
)


def difference(of, path, status, detail=""):
    return FileDifference(of, ImagePath(path), status, detail)


VERIFIED = evidence(
    facts={
        "differences": (
            difference("openssl", "usr/lib/libssl.so.3", "changed", "digest,size"),
            difference("bash", "usr/share/man/bash.1", "missing"),
            difference("bash", "bin/bash", "changed", "mode"),
            difference("odd", "usrlocal/odd", "missing"),
        ),
        "looked_for": {"verify": "dpkg"},
    }
)
VERIFIED_CLEAN = evidence(facts={"looked_for": {"verify": "dpkg"}})


def case(trigger, params, *fires, given=IMAGE):
    return Golden("packages", trigger, given, params, tuple(("md5", message) for message in fires))


def verify(*fires, given=VERIFIED, **params):
    def message(name, path, status):
        head = f"VERIFY check against package db for package '{name}' failed on entry"
        return f"{head} '{path}' with status: '{status}'"

    return case("verify", params, *(message(*fire) for fire in fires), given=given)


def metadata(*fires, given=IMAGE, **params):
    return case("metadata", params, *(f"Package matches the rule: {fire}" for fire in fires), given=given)


BASH_CHANGED = ("bash", "/bin/bash", "changed")
BASH_MISSING = ("bash", "/usr/share/man/bash.1", "missing")
ODD = ("odd", "/usrlocal/odd", "missing")
SSL = ("openssl", "/usr/lib/libssl.so.3", "changed")
BASH_RPM = "bash 1:5.1-2.el9 (rpm)"
GOLDEN: tuple[Golden, ...] = (
    case("required_package", {"name": "curl"}, "Required input package (curl) is not present in container image"),
    case(
        "required_package",
        {"name": "curl", "version": "8"},
        "Required input package (curl,8) is not present in container image",
    ),
    case(
        "required_package",
        {"name": "openssl", "version": "3.0.2-1", "version_match_type": "minimum"},
        "Required min-version input package (openssl) is present (3.0.1-1), "
        "but is lower version than what is specified in policy (3.0.2-1)",
    ),
    Golden(
        "packages",
        "required_package",
        IMAGE,
        {"name": "openssl", "version": "3.0.2-1", "version_match_type": "exact"},
        (
            (
                # Over the original's message, which repeats the name.
                md5(
                    b"packagesrequired_packageRequired input package (openssl) is present (3.0.1-1), "
                    b"but not at the version specified in policy (openssl)"
                ).hexdigest(),
                "Required input package (openssl) is present (3.0.1-1), but not at the version specified in policy "
                "(3.0.2-1)",
            ),
        ),
    ),
    case("required_package", {"name": "openssl"}),
    case("required_package", {"name": "openssl", "version": "3.0.1-1"}),
    case("required_package", {"name": "openssl", "version": "3.0.0-9", "version_match_type": "minimum"}),
    case("blacklist", {"name": "bash"}, "Package is blacklisted: bash"),
    case("blacklist", {"name": "bash", "version": "5.1"}, "Package is blacklisted: bash-5.1"),
    case("blacklist", {"name": "bash", "version": "5"}),
    verify(BASH_CHANGED, BASH_MISSING, ODD, SSL),
    verify(ODD, SSL, only_packages="openssl, odd"),
    verify(BASH_MISSING, SSL, only_directories="/usr"),
    verify(BASH_MISSING, SSL, only_directories=["/usr/", "/opt"]),
    verify(BASH_CHANGED, only_directories="/bin/bash"),
    verify(BASH_CHANGED, SSL, check="changed"),
    verify(BASH_MISSING, ODD, check="missing"),
    verify(BASH_CHANGED, ODD, SSL, ignore="/usr/share/(man|doc)/.*"),
    verify(BASH_MISSING, only_packages="bash", only_directories="/usr", check="missing"),
    verify(only_packages="bas"),
    verify(only_directories="/us"),
    verify(check="missing", only_packages="openssl"),
    verify(ignore="/.*"),
    verify(given=VERIFIED_CLEAN),
    metadata(f"{BASH_RPM}: name = bash", name="bash"),
    metadata(f"{BASH_RPM}: name like ba", name="ba", name_comparison="like"),
    metadata(
        "openssl 3.0.1-1 (deb): name != bash and version >= 3",
        name="bash",
        name_comparison="!=",
        version="3",
        version_comparison=">=",
    ),
    metadata(
        "musl 1.2.4-r1 (apk): name not_like (bash|openssl|flask)",
        name="(bash|openssl|flask)",
        name_comparison="not_like",
    ),
    metadata("musl 1.2.4-r1 (apk)", type="apk"),
    metadata("musl 1.2.4-r1 (apk)", type="APKG".lower()),
    metadata("flask 2.0 (pypi)", type="non-os"),
    metadata("flask 2.0 (pypi): version = 2.0.0", type="python", version="2.0.0"),
    metadata("flask 2.0 (pypi): version < 2.0.1", type="pypi", version="2.0.1", version_comparison="<"),
    metadata("flask 2.0 (pypi): version > 2.0rc1", type="pypi", version="2.0rc1", version_comparison=">"),
    metadata("flask 2.0 (pypi): version <= 2.0", type="pypi", version="2.0", version_comparison="<="),
    metadata("flask 2.0 (pypi): version != 2.1", type="pypi", version="2.1", version_comparison="!="),
    metadata(f"{BASH_RPM}: version like .*el9$", version=".*el9$", version_comparison="like"),
    metadata("flask 2.0 (pypi): version not_like .*-", version=".*-", version_comparison="not_like"),
    metadata(name="bas", name_comparison="="),
    metadata(name=".*", name_comparison="not_like"),
    metadata(name="bash", type="deb"),
    metadata(name="flask", version="2.0", version_comparison="<"),
    metadata(name="flask", version="2.0", version_comparison=">"),
    metadata(name="flask", version="2.0", version_comparison="!="),
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


def test_files_that_were_not_compared_are_no_silent_pass():
    found = verdict("packages", "verify", IMAGE, check="missing", only_packages="bash")
    assert (found.status, found.findings) == (Status.INDETERMINATE, ())
    assert found.problems[0].subject == "packages.verify"
    assert "needs differences between files and the package database" in found.problems[0].message


def test_the_original_takes_a_directory_for_the_beginning_of_a_path():
    found = original("packages", "verify", VERIFIED, only_directories="/usr")
    assert len(found) == 3
    assert "'/usrlocal/odd'" in found[1][1]


def test_versions_nobody_can_compare_are_a_gap():
    given = evidence([package(f"p{number}", "1", "odd", scheme="none") for number in range(7)])
    (said,) = gaps("packages", "metadata", given, version="2", version_comparison="<")
    assert said == "rule r could not compare 7 versions: p0@1, p1@1, p2@1, p3@1, p4@1 …"
    assert len(messages("packages", "metadata", given, version="1")) == 7


@pytest.mark.parametrize(
    ("trigger", "params", "said"),
    [
        ("metadata", {}, 'needs at least one of "name", "version" and "type"'),
        ("metadata", {"name_comparison": "!="}, "needs at least one of"),
        ("metadata", {"name": "[", "name_comparison": "like"}, "unterminated"),
        ("metadata", {"version": "[", "version_comparison": "not_like"}, "unterminated"),
        ("metadata", {"name": "x", "name_comparison": "<"}, "must be one of = != like not_like"),
        ("metadata", {"type": "pyhton"}, "must be one of all"),
        ("verify", {"check": "gone"}, "must be one of changed missing"),
        ("verify", {"ignore": "["}, "unterminated"),
    ],
)
def test_unusable_parameters_are_refused(trigger, params, said):
    with pytest.raises(BundleError) as caught:
        bundle(rule_line("packages", trigger, **params))
    assert said in str(caught.value)


def test_only_verify_demands_something():
    demands = {trigger.name: trigger.demands for trigger in find_gate("packages").triggers if trigger.demands}
    assert {name: make(Arguments({})) for name, make in demands.items()} == {"verify": Demand(verify=True)}


def test_what_rules_look_at():
    gate = find_gate("packages")
    assert find_trigger(gate, "metadata").looks_at(IMAGE, Arguments({})) == "4 packages"
    assert find_trigger(gate, "verify").looks_at(VERIFIED, Arguments({})) == "4 differences"
