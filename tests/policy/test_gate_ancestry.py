"""Gate ancestry: base images allowed and ancestors denied, by what image and author say."""

from __future__ import annotations

from dataclasses import replace
from hashlib import md5

import pytest

from anchorecli.errors import BundleError
from anchorecli.model import DiffId, Status
from anchorecli.policy.facts.base_image import claims, full_name
from anchorecli.policy.facts.dockerfile import base_of, dockerfile

from .evidence import bundle, config, evidence, messages, rule_line
from .facts import gaps, verdict
from .golden import Golden

NAME, DIGEST = "org.opencontainers.image.base.name", "org.opencontainers.image.base.digest"
GOOD, BAD = "sha256:" + "a" * 64, "sha256:" + "b" * 64


def annotated(annotations, **fields):
    given = evidence(**fields)
    return replace(
        given, analysis=replace(given.analysis, image=replace(given.analysis.image, annotations=annotations))
    )


def labelled(labels):
    return evidence(settings=config(labels=labels))


NOTED = annotated({NAME: "docker.io/library/debian:12", DIGEST: GOOD})
WRITTEN = evidence(dockerfile=f"FROM golang:1 AS build\nFROM registry.example/base:3@{BAD}\nCOPY --from=build /x /x\n")
SILENT = evidence()


def case(trigger, param, value, message="", stable="", given=NOTED):
    params = {param: value} if param else {}
    identity = md5(f"ancestry{trigger}{stable or message}".encode()).hexdigest()
    return Golden("ancestry", trigger, given, params, ((identity, message),) if message else ())


BY_MANIFEST, BY_FILE = "(by the manifest's annotations)", "(by the Dockerfile)"
ALLOWED_DIGEST, ALLOWED_TAG = "allowed_base_image_digest", "allowed_base_image_tag"
DENIED_DIGEST, DENIED_TAG = "denylist_ancestor_image_digest", "denylist_ancestor_image_tag"
GOLDEN: tuple[Golden, ...] = (
    case(
        ALLOWED_DIGEST,
        "base_digest",
        BAD,
        f"The base image {GOOD} {BY_MANIFEST} is not an allowed one",
        GOOD,
    ),
    case(ALLOWED_DIGEST, "base_digest", [BAD, GOOD]),
    case(ALLOWED_DIGEST, "base_digest", f"debian@{GOOD}"),
    case(ALLOWED_DIGEST, "base_digest", "a" * 64),
    case(ALLOWED_DIGEST, "base_digest", GOOD, f"The base image {BAD} {BY_FILE} is not an allowed one", BAD, WRITTEN),
    case(
        ALLOWED_TAG,
        "base_tag",
        "alpine:3",
        f"The base image docker.io/debian:12 {BY_MANIFEST} is not an allowed one",
        "docker.io/debian:12",
    ),
    case(ALLOWED_TAG, "base_tag", "alpine:3,debian:12"),
    case(ALLOWED_TAG, "base_tag", "docker.io/debian:*"),
    case(ALLOWED_TAG, "base_tag", "regexp:registry.example/", given=WRITTEN),
    case(
        DENIED_DIGEST,
        "ancestor_digest",
        BAD,
        f"The image was built from {BAD} {BY_FILE}, which is denied",
        BAD,
        WRITTEN,
    ),
    case(DENIED_DIGEST, "ancestor_digest", BAD),
    case(
        DENIED_TAG,
        "ancestor_tag",
        "docker.io/debian:*",
        f"The image was built from docker.io/debian:12 {BY_MANIFEST}, which is denied",
        "docker.io/debian:12",
    ),
    case(DENIED_TAG, "ancestor_tag", "docker.io/centos:*"),
    case(DENIED_TAG, "ancestor_tag", "docker.io/golang:*", given=WRITTEN),
    case("no_ancestors_analyzed", "", "", "No ancestor of the image has been analyzed"),
    case("no_ancestors_analyzed", "", "", given=evidence(base=frozenset({DiffId(GOOD)}))),
)
DECIDING = [
    (ALLOWED_DIGEST, {"base_digest": GOOD}, "the digest of the base image"),
    (ALLOWED_TAG, {"base_tag": "debian:12"}, "the name of the base image"),
    (DENIED_DIGEST, {"ancestor_digest": GOOD}, "what the image was built from"),
    (DENIED_TAG, {"ancestor_tag": "debian:12"}, "what the image was built from"),
]


@pytest.mark.parametrize(("trigger", "params", "what"), DECIDING)
def test_where_nobody_says_anything_nothing_is_decided(trigger, params, what):
    assert gaps("ancestry", trigger, SILENT, **params) == [f"rule r could not be decided: {what} is not known"]
    found = verdict("ancestry", trigger, SILENT, **params)
    assert (found.status, found.findings) == (Status.INDETERMINATE, ())


@pytest.mark.parametrize("trigger", [DENIED_DIGEST, DENIED_TAG])
def test_the_ancestors_of_the_base_image_are_not_known(trigger):
    param = "ancestor_digest" if trigger == DENIED_DIGEST else "ancestor_tag"
    (remark,) = verdict("ancestry", trigger, NOTED, **{param: "x:1" if trigger == DENIED_TAG else BAD}).problems
    assert "what that was built from is not known" in remark.message
    assert not remark.incomplete


def test_who_is_believed_first():
    given = annotated({NAME: "a:1"}, settings=config(labels={NAME: "c:3", DIGEST: GOOD}))
    names = [claim.name for claim in claims(given.analysis.image, "b:2")]
    assert names == ["a:1", "b:2", "c:3"]
    assert messages("ancestry", ALLOWED_TAG, given, base_tag="b:2,c:3") != []
    assert messages("ancestry", ALLOWED_DIGEST, given, base_digest=GOOD) == []


def test_what_only_a_label_says():
    given = labelled({NAME: "debian:12"})
    assert messages("ancestry", ALLOWED_TAG, given, base_tag="alpine:*") == [
        "The base image docker.io/debian:12 (by the image's labels) is not an allowed one"
    ]


@pytest.mark.parametrize(
    ("text", "base"),
    [
        ("FROM debian:12", "debian:12"),
        ("FROM a AS x\nFROM b", "b"),
        ("FROM a AS x\nFROM X", "a"),
        ("FROM a AS x\nFROM x AS y\nFROM y", "a"),
        ("FROM --platform=$BUILDPLATFORM a AS x\nFROM --platform=linux/amd64 x", "a"),
        ("ARG B=debian\nFROM $B", "$B"),
        ("FROM", ""),
        ("RUN x", ""),
    ],
)
def test_the_base_of_the_last_stage(text, base):
    assert base_of(dockerfile(evidence(dockerfile=text))) == base


def test_a_variable_names_nothing():
    assert claims(SILENT.analysis.image, "$BASE") == ()
    assert gaps("ancestry", ALLOWED_TAG, evidence(dockerfile="FROM ${B}:1"), base_tag="x")


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("debian", "docker.io/debian:latest"),
        ("docker.io/library/debian:12", "docker.io/debian:12"),
        (f"debian@{GOOD}", "docker.io/debian"),
        ("ghcr.io/a/b:1", "ghcr.io/a/b:1"),
        ("scratch", "scratch"),
        ("Not A Name", "Not A Name"),
    ],
)
def test_full_names(name, full):
    assert full_name(name) == full


def test_the_older_words_are_understood():
    rule = rule_line("ancestry", "blacklist_ancestor_image_tag", ancestor_tag="x")
    assert bundle(rule).policies[0].rules[0].trigger == DENIED_TAG


def test_wrong_values_are_refused():
    with pytest.raises(BundleError, match='"base_tag" is not usable as a regular expression'):
        bundle(rule_line("ancestry", ALLOWED_TAG, base_tag="regexp:("))
