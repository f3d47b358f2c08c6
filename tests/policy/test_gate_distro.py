"""Gate distro: denied distributions, the end of their support, and those nobody can name."""

from __future__ import annotations

from dataclasses import replace
from hashlib import md5

import pytest

from anchorecli.model import Demand, Distro, Enrichment, Status
from anchorecli.policy.language.rules import find_gate, find_trigger

from .evidence import evidence, fired, messages, package
from .facts import Path, gaps, image_of, verdict
from .golden import Golden

ALPINE = evidence(distro=Distro("alpine", "3.20.3"))
SID = evidence(distro=Distro("debian", "", codename="sid"))
NAMELESS = evidence([package()], distro=None)
SCRATCH = evidence(distro=None)


def ends(date, given=None):
    return replace(given or evidence(), enrichment=Enrichment(end_of_life=date))


def case(trigger, params, message="", stable="", given=None):
    identity = md5(f"distro{trigger}{stable}".encode()).hexdigest()
    return Golden("distro", trigger, given or evidence(), params, ((identity, message),) if message else ())


def deny(distro, check="", version="", *, fires, given=None):
    params = {"distro": distro} | ({"check": check} if check else {}) | ({"version": version} if version else {})
    what = f"{distro} {check or '='} {version}" if version else distro
    image = (given or evidence()).analysis.distro
    shown = f"{image.id}:{image.version_id or '0'}"
    message = f"The distribution {what} is denied: the image is {shown}" if fires else ""
    return case("deny", params, message, f"denied {what}", given)


GOLDEN: tuple[Golden, ...] = (
    deny("debian", fires=True),
    deny("Debian", fires=True),
    deny("centos", fires=False),
    deny("debian", version="12", fires=True),
    deny("debian", "=", "11", fires=False),
    deny("debian", "!=", "11", fires=True),
    deny("debian", "!=", "12", fires=False),
    deny("debian", "<", "13", fires=True),
    deny("debian", "<", "12", fires=False),
    deny("debian", "<=", "12", fires=True),
    deny("debian", "<=", "9", fires=False),
    deny("debian", ">", "9", fires=True),
    deny("debian", ">", "12", fires=False),
    deny("debian", ">=", "12", fires=True),
    deny("debian", ">=", "13", fires=False),
    deny("alpine", "<", "3.9", fires=False, given=ALPINE),
    deny("alpine", "=", "3.20", fires=True, given=ALPINE),
    deny("alpine", ">", "3.20", fires=False, given=ALPINE),
    deny("alpine", "=", "3", fires=True, given=ALPINE),
    deny("debian", "=", "sid", fires=True, given=SID),
    deny("debian", "!=", "sid", fires=False, given=SID),
    deny("debian", fires=True, given=SID),
    deny("redhat", "<", "8", fires=True, given=evidence(distro=Distro("rhel", "7.9"))),
    case(
        "end_of_life",
        {},
        "Support for debian:12 ended on 2025-06-14",
        "debian until 2025-06-14",
        ends("2025-06-14"),
    ),
    case("end_of_life", {}, given=ends("2025-06-15")),
    case("end_of_life", {}, given=ends("")),
    case(
        "end_of_life",
        {"days_before": 90},
        "Support for debian:12 ends on 2025-08-31",
        "debian until 2025-08-31",
        ends("2025-08-31"),
    ),
    case("end_of_life", {"days_before": 30}, given=ends("2025-08-31")),
    case(
        "unknown",
        {},
        "The image has 1 package of a distribution, and nothing tells which one",
        "packages of an unknown distribution",
        NAMELESS,
    ),
    case(
        "unknown",
        {},
        "The image has a shell, and nothing tells which distribution it is",
        "unknown distribution",
        image_of({"bin/busybox": Path(0o755)}, distro=None),
    ),
    case("unknown", {}, given=image_of({"app": Path(0o755)}, distro=None)),
    case("unknown", {}),
)


def test_versions_that_nobody_can_compare():
    assert gaps("distro", "deny", SID, distro="debian", version="11", check="<") == [
        "rule r compares versions, and debian names none here"
    ]
    assert (
        "could not compare the version of debian"
        in gaps("distro", "deny", evidence(), distro="debian", version="trixie")[0]
    )
    assert gaps("distro", "deny", SID, distro="debian") == []


@pytest.mark.parametrize(("trigger", "params"), [("deny", {"distro": "centos"}), ("end_of_life", {})])
def test_packages_of_a_distribution_nobody_can_name(trigger, params):
    assert gaps("distro", trigger, NAMELESS, **params) == [
        "rule r could not be decided: which distribution the packages belong to is not known"
    ]
    assert gaps("distro", trigger, SCRATCH, **params) == []


def test_end_of_life_without_its_feed():
    assert verdict("distro", "end_of_life", evidence()).status is Status.INDETERMINATE
    assert gaps("distro", "end_of_life", evidence()) == [
        "rule r could not be decided: when support for debian:12 ends is not known"
    ]


def test_unknown_needs_the_file_list():
    assert "needs the list of files" in gaps("distro", "unknown", SCRATCH)[0]
    gate = find_gate("distro")
    trigger = find_trigger(gate, "unknown")
    assert trigger.demands(None) == Demand(files=True)


def test_the_next_point_release_has_the_same_id():
    one, other = (evidence(distro=Distro("alpine", f"3.20.{patch}")) for patch in (3, 4))
    for trigger, params in (("deny", {"distro": "alpine"}), ("end_of_life", {})):
        found = [fired("distro", trigger, ends("2025-01-01", given), **params)[0] for given in (one, other)]
        assert found[0][0] == found[1][0]
        assert found[0][1] != found[1][1]


def test_a_message_names_what_the_image_is():
    assert messages("distro", "deny", ALPINE, distro="alpine", check="<", version="3.21") == [
        "The distribution alpine < 3.21 is denied: the image is alpine:3.20.3"
    ]
