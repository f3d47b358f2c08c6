"""Gate image: age, size, layers, labels, annotations, environment and base."""

from __future__ import annotations

from dataclasses import replace
from hashlib import md5

import pytest

from anchorecli.errors import BundleError
from anchorecli.model import DiffId, Digest, ImageRef, Layer
from anchorecli.policy.facts.image_facts import byte_count

from .evidence import bundle, config, evidence, fired, messages, rule_line
from .facts import gaps
from .golden import Golden
from .signed import ATTESTATION, SLSA, by, signed

LAYERS = tuple(
    Layer(DiffId(f"sha256:{digit * 64}"), Digest(f"sha256:{digit * 64}"), size=1024 * 1024) for digit in "abc"
)
SOURCE = "org.opencontainers.image.source"


def annotated(annotations, given=None):
    given = given or evidence()
    return replace(
        given, analysis=replace(given.analysis, image=replace(given.analysis.image, annotations=annotations))
    )


def made(created="", **annotations):
    return annotated(annotations, evidence(settings=config(created=created)))


IMAGE = annotated(
    {SOURCE: "https://example.org/app"},
    evidence(
        settings=config(
            created="2025-01-01T00:00:00Z",
            labels={SOURCE: "ftp://example.org", "maintainer": "team"},
            env=("PATH=/bin", "DB_PASSWORD=hunter2", "EMPTY"),
        ),
        layers=LAYERS,
        facts={"file_bytes": 5 * 1024 * 1024},
    ),
)
BARE = evidence()


def identity(trigger, stable):
    return md5(f"image{trigger}{stable}".encode()).hexdigest()


def case(trigger, params, message="", stable="", given=IMAGE):
    fires = ((identity(trigger, stable or message), message),) if message else ()
    return Golden("image", trigger, given, params, fires)


OLD = "The image was created on 2025-01-01, 165 days ago; the policy allows 90"
NO_DATE = "The day the image was created is not known: a reproducible build?"
SIGNED = signed(by("release"), by("release", ATTESTATION, SLSA))
UNSIGNED = signed(by("", note="none of the bundle's signers made it"))

GOLDEN: tuple[Golden, ...] = (
    case("signature_missing", {}, given=SIGNED),
    case(
        "signature_missing",
        {},
        "The image has no signature by release or ci",
        "signature by release or ci",
        given=signed(by("release", ATTESTATION, SLSA)),
    ),
    case(
        "signature_missing",
        {},
        "The image has no signature by release or ci; there is: one that is not verified (none of the bundle's "
        "signers made it)",
        "signature by release or ci",
        given=UNSIGNED,
    ),
    case("signature_missing", {"accept_unchecked": True}, given=UNSIGNED),
    case("attestation_missing", {"predicate_type": "provenance"}, given=SIGNED),
    case("attestation_missing", {"predicate_type": "https://slsa.dev/*"}, given=SIGNED),
    case("attestation_missing", {}, given=SIGNED),
    case(
        "attestation_missing",
        {"predicate_type": "sbom"},
        "The image has no attestation of type sbom by release or ci",
        "attestation of type sbom by release or ci",
        given=SIGNED,
    ),
    case("age", {"max_days": 90}, OLD, "older than 90 days"),
    case("age", {"max_days": 165}),
    case("age", {"max_days": 90}, given=BARE),
    case("age", {"max_days": 90, "unknown_date": "ignore"}, given=made("1970-01-01T00:00:00Z")),
    case(
        "age",
        {"max_days": 90, "unknown_date": "fire"},
        NO_DATE,
        "the day the image was created is not known",
        given=made("1980-01-01T00:00:01Z"),
    ),
    case(
        "annotations",
        {"name": "org.opencontainers.image.licenses"},
        "The required annotation org.opencontainers.image.licenses is missing",
        "required annotation org.opencontainers.image.licenses",
    ),
    case("annotations", {"name": SOURCE, "value": "https?://.+"}),
    case(
        "annotations",
        {"name": SOURCE, "check": "forbidden"},
        f"The image has the annotation {SOURCE}, which is forbidden",
    ),
    case("base_image_unknown", {}, "Nothing tells which base image the image was built from"),
    case("base_image_unknown", {}, given=annotated({"org.opencontainers.image.base.name": "debian"})),
    case("base_image_unknown", {}, given=replace(BARE, base=frozenset())),
    case("env", {"name": "*_PASSWORD"}, "The image has the environment variable DB_PASSWORD, which is forbidden"),
    case(
        "env",
        {"value": ".*hunter"},
        "The image has the environment variable DB_PASSWORD with a value that matches, which is forbidden",
    ),
    case("env", {"name": "*_TOKEN"}),
    case("env", {"name": "EMPTY", "check": "required"}),
    case(
        "env",
        {"name": "TZ", "check": "required"},
        "The required environment variable TZ is missing",
        "required environment variable TZ",
    ),
    case(
        "labels",
        {"name": SOURCE, "value": "https?://.+"},
        f"The required label {SOURCE} has a value that does not match",
        f"required label {SOURCE}",
    ),
    case("labels", {"name": SOURCE, "value": "ftp"}),
    case("labels", {"name": "vendor", "check": "forbidden"}),
    case("labels", {"name": "main*", "check": "forbidden"}, "The image has the label maintainer, which is forbidden"),
    case("layer_count", {"value": 2}, "The image has 3 layers, which is > 2", "> 2"),
    case("layer_count", {"value": 3}),
    case("layer_count", {"value": 3, "comparison": "="}, "The image has 3 layers, which is = 3", "= 3"),
    case("layer_count", {"value": 3, "comparison": "!="}),
    case("layer_count", {"value": 4, "comparison": "<"}, "The image has 3 layers, which is < 4", "< 4"),
    case("layer_count", {"value": 2, "comparison": "<="}),
    case("layer_count", {"value": 3, "comparison": ">="}, "The image has 3 layers, which is >= 3", ">= 3"),
    case("size", {"value": "4mb"}, "The image's files have 5242880 bytes, which is > 4mb", "files > 4mb"),
    case("size", {"value": "5mb"}),
    case(
        "size",
        {"value": "3mb", "of": "stored", "comparison": ">="},
        "The image's stored layers have 3145728 bytes, which is >= 3mb",
        "stored >= 3mb",
    ),
    case("size", {"value": "3mb", "of": "stored"}),
)


@pytest.mark.parametrize(
    ("given", "incomplete"),
    [
        (made("1970-01-01T00:00:00Z"), "is not known"),
        (made("0001-01-01T00:00:00Z"), "is not known"),
        (made("yesterday"), "is not known"),
        (made(""), "is not known"),
        (made("2031-01-01T00:00:00Z"), "is in the future (2031-01-01)"),
        (made("2025-06-15T20:00:00Z"), ""),
        (made("2025-06-01T00:00:00Z"), ""),
        (made("1970-01-01T00:00:00Z", **{"org.opencontainers.image.created": "2025-06-01T00:00:00Z"}), ""),
    ],
)
def test_a_date_that_stands_for_none_is_no_age(given, incomplete):
    found = gaps("image", "age", given, max_days=90)
    assert [message.partition("created ")[2].partition(":")[0] for message in found] == (
        [incomplete] if incomplete else []
    )
    assert messages("image", "age", given, max_days=90) == []


def test_the_age_is_not_in_the_id():
    later = replace(IMAGE, now="2026-01-01T00:00:00Z")
    assert fired("image", "age", later, max_days=90)[0][0] == fired("image", "age", IMAGE, max_days=90)[0][0]


def test_the_value_of_a_variable_is_never_shown():
    for params in ({"name": "DB_*"}, {"value": "hunter2$"}, {"name": "DB_PASSWORD", "value": "x", "check": "required"}):
        assert "hunter2" not in "".join(messages("image", "env", IMAGE, **params)).replace("hunter2$", "")


@pytest.mark.parametrize("transport", ["docker", "docker-archive", "dir"])
def test_annotations_that_a_source_drops_are_not_missing(transport):
    given = evidence(reference=ImageRef(transport, "x", path="/x"))
    for check in ("required", "forbidden"):
        assert gaps("image", "annotations", given, name="a", check=check) == [
            f"rule r could not be decided: {transport} keeps no annotations"
        ]


def test_stored_sizes_a_source_does_not_tell():
    given = evidence(layers=[replace(LAYERS[0], size=0), LAYERS[1]])
    assert "does not tell the size of stored layers" in gaps("image", "size", given, value="1mb", of="stored")[0]
    assert gaps("image", "size", given, value="1mb") == []


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), ("512", 512), ("1kb", 1024), ("2 MB", 2 * 1024**2), ("1.5gb", 1536 * 1024**2), ("1tb", 1024**4)],
)
def test_sizes(text, number):
    assert byte_count(text) == number


@pytest.mark.parametrize(
    ("trigger", "params", "message"),
    [
        ("size", {"value": "large"}, '"value" is a size such as 200mb, not large'),
        ("size", {"value": "1.5"}, "is a size such as"),
        ("size", {"value": "mb"}, "is a size such as"),
        ("size", {"value": "-1mb"}, "is a size such as"),
        ("size", {"value": "1" * 40 + "mb"}, "is a size such as"),
        ("labels", {"name": "regexp:("}, '"name" is not usable as a regular expression'),
        ("labels", {"name": "a", "value": "("}, '"value" is not usable as a regular expression'),
        ("env", {}, "image.env: needs a name, a value, or both"),
        ("age", {}, 'image.age needs the parameter "max_days"'),
    ],
)
def test_wrong_values_are_refused(trigger, params, message):
    with pytest.raises(BundleError) as raised:
        bundle(rule_line("image", trigger, **params))
    assert message in str(raised.value)
