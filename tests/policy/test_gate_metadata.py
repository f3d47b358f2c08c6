"""Gate metadata: what fires, what does not, with the ids and messages of Anchore Engine."""

from __future__ import annotations

from hashlib import md5

import pytest

from anchorecli.errors import BundleError
from anchorecli.model import DiffId, Distro, Layer, Status
from anchorecli.policy.language.parameters import Arguments
from anchorecli.policy.language.rules import find_gate

from .evidence import bundle, evidence, fired, rule_line
from .facts import gaps, original, verdict
from .golden import Golden

LAYERS = tuple(Layer(DiffId(f"sha256:{number}")) for number in range(3))


def image(distro, size=5 << 20):
    return evidence(distro=distro, layers=LAYERS, facts={"file_bytes": size, "file_count": 10})


DEBIAN = image(Distro("debian", "12"))
ROCKY = image(Distro("rocky", "9.4", like=("rhel", "centos", "fedora")))
SID = image(Distro("debian", codename="sid"))
NONE = image(None)


def case(attribute, check, value=None, *fires, given=DEBIAN):
    """``fires`` are the value of the check and that of the image, as the message shows them."""
    params = {"attribute": attribute, "check": check} | ({} if value is None else {"value": value})
    expected = ()
    if fires:
        head = f"Attribute check for attribute: '{attribute}' check: '{check}' check_value: "
        expected = (("md5", f"{head}'{fires[0]}' matched image value: '{fires[1]}'"),)
    return Golden("metadata", "attribute", given, params, expected)


FIVE = str(5 << 20)
GOLDEN: tuple[Golden, ...] = (
    case("size", "=", "5mb", FIVE, FIVE),
    case("size", "=", FIVE, FIVE, FIVE),
    case("size", "!=", "5KB", "5120", FIVE),
    case("size", ">", "5120kb"),
    case("size", ">", "5119kb", str(5119 << 10), FIVE),
    case("size", "<", "1tb", str(1 << 40), FIVE),
    case("size", ">=", "5mb", FIVE, FIVE),
    case("size", "<=", "5mb", FIVE, FIVE),
    case("size", "<=", "4mb"),
    case("size", "in", "1gb, 5mb", "1gb, 5mb", FIVE),
    case("size", "not_in", "1gb, 5mb"),
    case("size", "like", "52.*", "52.*", FIVE),
    case("size", "exists", None, "", FIVE)._replace(
        fires=(
            (
                md5(
                    b"metadataattributeAttribute check for attribute: 'size' check: 'exists' check_value: 'None' "
                    b"matched image value: '5242880'"
                ).hexdigest(),
                "Attribute check for attribute: 'size' check: 'exists' check_value: '' matched image value: '5242880'",
            ),
        )
    ),
    case("layer_count", ">", "2", "2", "3"),
    case("layer_count", ">", "3"),
    case("layer_count", "=", "03", "3", "3"),
    case("layer_count", "<", 10, "10", "3"),
    case("layer_count", "not_in", "1,2", "1,2", "3"),
    case("architecture", "=", "amd64", "amd64", "amd64"),
    case("architecture", "!=", "amd64"),
    case("architecture", "not_in", "arm64, s390x", "arm64, s390x", "amd64"),
    case("os_type", "=", "linux", "linux", "linux"),
    case("os_type", "not_like", "win.*", "win.*", "linux"),
    case("os_type", "not_like", "lin"),
    case("distro", "in", "debian,ubuntu", "debian,ubuntu", "debian"),
    case("distro", "in", "ubuntu,alpine"),
    case("distro", "like", "deb", "deb", "debian"),
    case("distro", "not_exists", None, given=DEBIAN),
    case("distro", "not_exists", None, "", "", given=NONE),
    case("distro", "exists", None, given=NONE),
    case("distro", "!=", "debian", "debian", "Unknown", given=NONE),
    case("like_distro", "=", "debian", "debian", "debian"),
    case("like_distro", "like", ".*centos", ".*centos", "rhel,centos,fedora", given=ROCKY),
    case("like_distro", "=", "rocky", given=ROCKY),
    case("distro_version", "<", "9"),
    case("distro_version", ">", "9", "9", "12"),
    case("distro_version", "<", "9.10", "9.10", "9.4", given=ROCKY),
    case("distro_version", ">=", "9.4", "9.4", "9.4", given=ROCKY),
    case("distro_version", "<=", "9.3", given=ROCKY),
    case("distro_version", "=", "12", "12", "12"),
    case("distro_version", "=", "12.0"),
    case("distro_version", "<", "1", "1", "0", given=NONE),
    # An operator that needs a value and has none.
    case("distro", "="),
    case("distro", "like", ""),
)


def test_the_original_compares_versions_as_text():
    params = {"attribute": "distro_version", "check": "<", "value": "9"}
    assert len(original("metadata", "attribute", DEBIAN, **params)) == 1
    assert fired("metadata", "attribute", DEBIAN, **params) == []


def test_versions_that_cannot_be_compared_are_gaps():
    params = {"attribute": "distro_version", "check": "<", "value": "12"}
    (said,) = gaps("metadata", "attribute", SID, **params)
    assert "the distribution names none" in said
    assert verdict("metadata", "attribute", SID, **params).status is Status.INDETERMINATE
    (said,) = gaps("metadata", "attribute", image(Distro("odd", "rolling")), **params)
    assert "could not compare the distribution's version" in said
    assert gaps("metadata", "attribute", SID, attribute="distro_version", check="=", value="12") == []


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"attribute": "size", "check": ">", "value": "big"}, "a number of bytes, or one with kb"),
        ({"attribute": "size", "check": "in", "value": "1mb,2pb"}, "not '2pb'"),
        ({"attribute": "layer_count", "check": ">", "value": "2mb"}, '"value" must be a whole number'),
        ({"attribute": "distro", "check": "like", "value": "["}, "unterminated"),
        ({"attribute": "colour", "check": "=", "value": "x"}, "must be one of size architecture"),
        ({"attribute": "size", "check": "~", "value": "1"}, "must be one of = !="),
        ({"check": "=", "value": "1"}, 'needs the parameter "attribute"'),
    ],
)
def test_unusable_parameters_are_refused(params, said):
    with pytest.raises(BundleError) as caught:
        bundle(rule_line("metadata", "attribute", **params))
    assert said in str(caught.value)


def test_what_a_rule_looks_at():
    (trigger,) = (each for each in find_gate("metadata").triggers if each.name == "attribute")
    assert trigger.looks_at(ROCKY, Arguments({"attribute": "distro_version"})) == "distro_version 9.4"
    assert trigger.looks_at(NONE, Arguments({"attribute": "distro"})) == "distro unknown"
