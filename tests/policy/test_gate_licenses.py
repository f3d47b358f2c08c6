"""Gate licenses: what fires, what does not, with the ids and messages of Anchore Engine."""

from __future__ import annotations

import pytest

from anchorecli.errors import BundleError
from anchorecli.policy.language.parameters import arguments
from anchorecli.policy.language.rules import find_gate

from .evidence import bundle, evidence, messages, package, rule_line
from .facts import original
from .golden import Golden

IMAGE = evidence(
    [
        package("bash", licenses=("GPL-3.0-or-later",)),
        package("zlib1g", licenses=("Zlib",)),
        package("perl", licenses=("Artistic-1.0 OR GPL-1.0-or-later", "BSD-3-Clause")),
        package("libgcc", licenses=("GPL-3.0-only WITH GCC-exception-3.1",)),
        package("left-pad", "1", "npm", licenses=("MIT",)),
        package("odd", "1", "pypi", licenses=("BSD License",)),
        package("bash", "5.2-9", arch="i386", licenses=("GPL-3.0-or-later",)),
        package("none", "1", "npm"),
        package("nobody", "1", "npm", licenses=("NOASSERTION", "Unknown")),
        package("xz", "1", "generic", owner="pkg:deb/liblzma5@5.4"),
    ]
)
EXACT = "LICFULLMATCH Packages are installed that have blacklisted licenses: "
PARTIAL = "LICSUBMATCH Packages are installed that have blacklisted licenses: "


def case(trigger, params, *fires, given=IMAGE):
    return Golden("licenses", trigger, given, params, tuple(("md5", message) for message in fires))


def exact(licenses, *fires, **params):
    return case("blacklist_exact_match", {"licenses": licenses, **params}, *(EXACT + fire for fire in fires))


def partial(licenses, *fires, **params):
    return case("blacklist_partial_match", {"licenses": licenses, **params}, *(PARTIAL + fire for fire in fires))


def allowed(licenses, *fires, given=IMAGE, **params):
    fires = tuple(f"Package {fire[0]} has a licence that is not allowed: {fire[1]}" for fire in fires)
    return case("not_allowed", {"licenses": licenses, **params}, *fires, given=given)


def one(text, listed, *, lets):
    """An image with one package under the licence: whether the list lets it through."""
    given = evidence([package("x", licenses=(text,))])
    return allowed(listed, *(() if lets else (("x", text),)), given=given)


BASH = "bash(GPL-3.0-or-later)"
GCC = "libgcc(GPL-3.0-only WITH GCC-exception-3.1)"
GOLDEN: tuple[Golden, ...] = (
    exact("GPL-3.0-or-later", BASH),
    exact("GPLv3+", BASH),
    exact("GPL-3+, Zlib", BASH, "zlib1g(Zlib)"),
    exact(["gpl-3.0-only"], GCC),
    exact("GPL-3.0-only WITH GCC-exception-3.1", GCC),
    exact("GPL-1+,BSD-3-clause", "perl(GPL-1.0-or-later), perl(BSD-3-Clause)"),
    exact("Expat", "left-pad(MIT)"),
    exact("BSD", "odd(BSD License)"),
    exact("BSD License", "odd(BSD License)"),
    exact("MIT,Zlib", "left-pad(MIT)", package_type="npm"),
    exact("MIT,Zlib", "zlib1g(Zlib)", package_type="os"),
    exact("MIT,Zlib", "zlib1g(Zlib)", package_type="dpkg"),
    exact("MIT,Zlib", "left-pad(MIT)", package_type="non-os"),
    exact("GPL,GPL-3,GPL-2.0-or-later", GCC),
    exact("GPL,GPL-2.0-or-later,LGPL-3.0-or-later"),
    exact("Zlib", package_type="npm"),
    partial("gpl", BASH, "perl(GPL-1.0-or-later)", GCC),
    partial("GPLv3", BASH, GCC),
    partial("GPLv3+", BASH),
    partial("Clause,Artistic", "perl(Artistic-1.0), perl(BSD-3-Clause)"),
    partial("BSD L", "odd(BSD License)"),
    partial("Z,MI", "left-pad(MIT)", package_type="npm"),
    partial("AGPL,SSPL"),
    partial("Zlib", package_type="non-os"),
    allowed(
        "MIT,Zlib,GPL-3.0-only",
        ("perl", "BSD-3-Clause"),
        ("odd", "BSD License"),
    ),
    allowed("Zlib", ("left-pad", "MIT"), package_type="npm"),
    allowed("MIT", package_type="npm"),
    allowed("MIT,Zlib,GPL-3.0-or-later,Artistic-1.0,BSD-3-Clause,BSD License,GPL-3.0-only"),
    one("MIT OR GPL-2.0-only", "MIT", lets=True),
    one("MIT AND GPL-2.0-only", "MIT", lets=False),
    one("MIT AND GPL-2.0-only", "MIT,GPLv2", lets=True),
    one("MIT AND Zlib OR ISC", "ISC", lets=True),
    one("MIT AND (Zlib OR ISC)", "ISC", lets=False),
    one("MIT AND (Zlib OR ISC)", "ISC,MIT", lets=True),
    one("(MIT)", "MIT", lets=True),
    one("Artistic-1.0 OR GPL-1.0-or-later", "MIT,LGPL-3.0-only", lets=False),
    one("GPL-2.0-or-later", "GPL-2.0-only", lets=True),
    one("GPL-2.0-or-later", "GPL-3.0-only", lets=True),
    one("GPL-3.0-or-later", "GPL-2.0-only", lets=False),
    one("GPL-3.0-or-later", "GPL-2.0-or-later", lets=True),
    one("GPL-3.0-only", "GPL-2.0-or-later", lets=True),
    one("GPL-2.0-only", "GPL-3.0-or-later", lets=False),
    one("GPL-2.0-only", "GPL-3.0-only", lets=False),
    one("LGPL-2.1-only", "GPL-2.1-only", lets=False),
    one("GPL-2.0-only WITH Classpath-exception-2.0", "GPL-2.0-only", lets=True),
    one("GPL-2.0-only", "GPL-2.0-only WITH Classpath-exception-2.0", lets=False),
    one("a (broken expression", "a", lets=False),
    one("Ask (me) first", "ask (me) FIRST", lets=True),
    one("(" * 400 + "MIT" + ")" * 400, "MIT", lets=True),
    case("unknown", {}, "Package none has no known licence", "Package nobody has no known licence"),
    case(
        "unknown", {"package_type": "npm"}, "Package none has no known licence", "Package nobody has no known licence"
    ),
    case("unknown", {"package_type": "os"}),
    case("unknown", {"package_type": "pypi"}),
)


def test_the_original_fires_once_for_all():
    found = original("licenses", "blacklist_exact_match", IMAGE, licenses="GPLv3+,Zlib")
    text = EXACT + "bash(GPLv3+), zlib1g(Zlib), bash(GPLv3+)"
    assert [message for _, message in found] == [text]
    found = original("licenses", "blacklist_partial_match", IMAGE, licenses="Zl,li")
    assert [message for _, message in found] == [PARTIAL + "zlib1g(Zlib), zlib1g(Zlib), odd(License)"]
    assert original("licenses", "blacklist_exact_match", IMAGE, licenses="AGPL-3.0") == []


def test_the_original_cannot_see_a_name_of_two_words():
    assert original("licenses", "blacklist_exact_match", IMAGE, licenses="BSD License") == []


def test_enterprise_names():
    for kind, value in (("exact", "Zlib"), ("partial", "Zl")):
        expected = messages("licenses", f"blacklist_{kind}_match", IMAGE, licenses=value)
        assert messages("licenses", f"denylist_{kind}_match", IMAGE, licenses=value) == expected != []


@pytest.mark.parametrize(
    ("params", "said"),
    [({"licenses": ""}, "must be a list of words"), ({"licenses": "MIT", "package_type": "x"}, "one of")],
)
def test_unusable_parameters_are_refused(params, said):
    with pytest.raises(BundleError, match=said):
        bundle(rule_line("licenses", "not_allowed", **params))


def test_what_rules_look_at():
    for trigger in find_gate("licenses").triggers:
        assert trigger.looks_at(IMAGE, arguments(trigger.parameters, {"package_type": "npm"})) == "3 packages"
