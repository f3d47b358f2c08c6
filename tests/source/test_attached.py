"""What hangs on an image: in a real registry by tags, in a played one by the referrers API, and in layouts."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from anchorecli.model import Attached, Digest, Image, ImageConfig, ImageRef, Platform
from anchorecli.reference import parse_reference
from anchorecli.source import SourceOptions, find_attached, hangs_otherwise
from anchorecli.source.attached import MAX_MANIFESTS
from tests import builders
from tests.feeds.server import Answer, Server, serving
from tests.registry import Registry, needs_registry, start_registry
from tests.signatures.attaching import dashed, entry, index, lay, put, refer
from tests.signatures.making import (
    INDEX,
    MANIFEST,
    OPENVEX,
    P256,
    Blob,
    attestation,
    bundle,
    digest,
    simple,
    statement,
)
from tests.source.archives import AMD64, ARM64, UNKNOWN, Layout, named
from tests.source.opening import described
from tests.source.test_registry import HTPASSWD

PLAIN = SourceOptions(tls_verify=False, timeout=20)
VEX = Blob(b'{"@context": "https://openvex.dev/ns"}', "application/json", artifact_type="application/vnd.openvex+json")
SBOM = Blob(b"a long list", "text/spdx+json", artifact_type="application/spdx+json")


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with start_registry(tmp_path_factory.mktemp("registry")) as running:
        yield running


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No credentials of whoever runs the tests."""
    for name in ("REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "DOCKER_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


def pushed(registry: Registry, tmp_path: Path, name: str) -> Image:
    layout = builders.oci_dir(tmp_path / "layout", [builders.layer({"a": os.urandom(100)})])
    return described(registry.push(f"oci:{layout}", name), tls_verify=False)


def found(attached: Attached) -> dict[str, str]:
    """Digest of the blob → what it was found attached to."""
    assert attached.problems == (), attached.problems
    return {each.blob: each.subject for each in attached.items}


# ── a real registry, which has no API ────────────────────────────────────────────────────────────────────────


@needs_registry
def test_cosigns_tags_and_the_referrers_tag(registry: Registry, tmp_path: Path) -> None:
    image = pushed(registry, tmp_path, "tags:1")
    assert found(find_attached(image, PLAIN)) == {}
    signature, attested = simple(P256, image.digest), attestation(P256, image.digest)
    put(registry, "tags", signature, dashed(image.digest, ".sig"))
    put(registry, "tags", attested, dashed(image.digest, ".att"))
    put(registry, "tags", SBOM, dashed(image.digest, ".sbom"))
    later = bundle(P256, image.digest)
    refer(registry, "tags", image.digest, later, VEX)
    attached = find_attached(image, PLAIN)
    assert found(attached) == {digest(each.data): image.digest for each in (signature, attested, SBOM, later, VEX)}
    contents = {str(each.blob): each.content for each in attached.items}
    assert contents[digest(signature.data)] == signature.data
    assert contents[digest(SBOM.data)] == b""  # nobody here could read it
    (document,) = [each for each in attached.items if each.document]
    assert (document.content, digest(document.document.encode())) == (VEX.data, document.manifest)
    (mark,) = [each for each in attached.items if each.blob == digest(signature.data)]
    assert mark.annotations == dict(signature.annotations)


@needs_registry
def test_signatures_of_a_document_that_hangs_on_the_image(registry: Registry, tmp_path: Path) -> None:
    image = pushed(registry, tmp_path, "signed-vex:1")
    refer(registry, "signed-vex", image.digest, VEX)
    manifest = digest(VEX.manifest(image.digest))
    mark = simple(P256, manifest)
    put(registry, "signed-vex", mark, dashed(manifest, ".sig"))
    assert found(find_attached(image, PLAIN)) == {digest(VEX.data): image.digest, digest(mark.data): manifest}


@needs_registry
def test_the_index_and_the_platform_and_what_buildkit_put_between(registry: Registry, tmp_path: Path) -> None:
    layout = Layout()
    amd64, arm64 = layout.image("amd64", AMD64), layout.image("arm64", ARM64)
    said = Blob(statement(amd64["digest"]), "application/vnd.in-toto+json")
    other = Blob(statement(arm64["digest"]), "application/vnd.in-toto+json")
    marks = [
        lay(layout, each, **{"vnd.docker.reference.digest": of, "vnd.docker.reference.type": "attestation-manifest"})
        | {"platform": UNKNOWN}
        for each, of in ((said, amd64["digest"]), (other, arm64["digest"]))
    ]
    top = layout.index([amd64, arm64, *marks])
    path = layout.write(tmp_path / "multi", [top])
    name = registry.push(f"oci:{path}", "multi:1", "--all")
    image = described(name, tls_verify=False, platform=Platform("linux", "amd64"))
    signature = simple(P256, image.index_digest)
    put(registry, "multi", signature, dashed(image.index_digest, ".sig"))
    assert found(find_attached(image, PLAIN)) == {
        digest(signature.data): image.index_digest,
        digest(said.data): image.digest,
    }


@needs_registry
def test_artifacts_that_are_not_what_they_are_listed_as(registry: Registry, tmp_path: Path) -> None:
    image = pushed(registry, tmp_path, "odd:1")
    elsewhere, good, other = bundle(P256, image.digest), VEX, "sha256:" + "5" * 64
    put(registry, "odd", elsewhere, subject=other)
    put(registry, "odd", good, subject=image.digest)
    listed = [entry(elsewhere, other), entry(good, image.digest)]
    document = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": listed}).encode()
    registry.put_manifest("odd", dashed(image.digest), document, INDEX)
    attached = find_attached(image, PLAIN)
    assert [each.blob for each in attached.items] == [digest(good.data)]
    (problem,) = attached.problems
    assert f"is listed as attached to {image.digest} but names {other}" in problem.message
    assert not problem.incomplete


@needs_registry
def test_credentials_are_those_of_skopeo(tmp_path: Path) -> None:
    with start_registry(tmp_path / "private", HTPASSWD) as private:
        authfile = str(private.login("joe", "secret"))
        layout = builders.oci_dir(tmp_path / "layout", [builders.layer({"a": "1"})])
        name = private.push(f"oci:{layout}", "app:1")
        image = described(name, tls_verify=False, authfile=authfile)
        mark = simple(P256, image.digest)
        put(private, "app", mark, dashed(image.digest, ".sig"))
        allowed = SourceOptions(tls_verify=False, timeout=20, authfile=authfile)
        assert found(find_attached(image, allowed)) == {digest(mark.data): image.digest}
        attached = find_attached(image, PLAIN)
        assert attached.items == ()
        (problem,) = attached.problems
        assert "refuses access" in problem.message
        assert "skopeo login" in problem.hint


# ── the API, played ──────────────────────────────────────────────────────────────────────────────────────────

DIGEST = "sha256:" + "1" * 64
LIST = f"/v2/app/referrers/{DIGEST}"


def served(server: Server, **answers: Any) -> Image:
    """An image in the played registry."""
    server.answers["/v2/"] = Answer(b"{}")
    server.answers.update(answers)
    ref = parse_reference(f"registry:{server.url.removeprefix('http://')}/app:1")
    config = ImageConfig(Platform("linux", "amd64"))
    return Image(ref, Digest("sha256:" + "9" * 64), Digest(DIGEST), config, ())


def holding(server: Server, *blobs: Blob) -> None:
    for blob in blobs:
        manifest = blob.manifest(DIGEST)
        server.answers[f"/v2/app/manifests/{digest(manifest)}"] = Answer(manifest)
        server.answers[f"/v2/app/blobs/{digest(blob.data)}"] = Answer(blob.data)


def test_the_api_and_all_its_pages() -> None:
    one, two = bundle(P256, DIGEST), attestation(P256, DIGEST)
    with serving() as server:
        image = served(server)
        holding(server, one, two)
        next_page = f'<{LIST}?last=x&n=1>; rel="next"'
        server.answers[LIST] = Answer(index(DIGEST, one), headers={"Link": next_page})
        server.answers[f"{LIST}?last=x&n=1"] = Answer(index(DIGEST, two))
        assert found(find_attached(image, PLAIN)) == {digest(one.data): DIGEST, digest(two.data): DIGEST}
        # With an API the tag that stands in for it is not asked for; cosign's are.
        asked = server.paths()
        assert f"/v2/app/manifests/{dashed(DIGEST)}" not in asked
        assert f"/v2/app/manifests/{dashed(DIGEST, '.sig')}" in asked


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (Answer(b"", 500), "the registry answers 500"),
        (Answer(b"", 403), "the registry cannot be used"),
        (Answer(b'{"manifests": []', cut=3), "cannot be reached"),
        (Answer(index(DIGEST), headers={"Link": '<http://o.example/x>; rel="next"'}), "goes on elsewhere"),
        (Answer(index(DIGEST), headers={"Link": '</v2/other/referrers/x>; rel="next"'}), "goes on elsewhere"),
        (Answer(index(DIGEST), headers={"Link": f'<{LIST}>; rel="next"'}), "more than 20 pages"),
        (Answer(b'{"mediaType": "%s", "manifests": [{}]}' % INDEX.encode()), "is not a sha256 digest"),
        (Answer(json.dumps({"mediaType": INDEX, "manifests": [entry(VEX, DIGEST)] * (MAX_MANIFESTS + 1)}).encode()),
         f"more than {MAX_MANIFESTS} artifacts"),
    ],
)  # fmt: skip
def test_a_registry_that_fails(answer: Answer, message: str) -> None:
    with serving() as server:
        image = served(server)
        holding(server, VEX)
        server.answers[LIST] = answer
        attached = find_attached(image, PLAIN)
        assert any(message in each.message for each in attached.problems), attached.problems


def test_a_page_of_ones_own_is_no_api() -> None:
    with serving() as server:
        image = served(server)
        holding(server, VEX)
        server.answers[LIST] = Answer(b"<html>welcome</html>")
        server.answers[f"/v2/app/manifests/{dashed(DIGEST)}"] = Answer(index(DIGEST, VEX))
        assert found(find_attached(image, PLAIN)) == {digest(VEX.data): DIGEST}


@pytest.mark.parametrize(
    ("manifest", "blob", "message"),
    [
        (Answer(b"{}"), Answer(VEX.data), "is not what its digest says"),
        (Answer(b"", 404), Answer(VEX.data), "is named as attached and is not there"),
        (Answer(VEX.manifest(DIGEST)), Answer(b"something"), "blob is not what its digest says"),
        (Answer(VEX.manifest(DIGEST)), Answer(b"", 404), "does not have it"),
    ],
)
def test_damage_is_told_and_what_it_hits_is_left_out(manifest: Answer, blob: Answer, message: str) -> None:
    with serving() as server:
        image = served(server)
        server.answers[LIST] = Answer(index(DIGEST, VEX))
        server.answers[f"/v2/app/manifests/{digest(VEX.manifest(DIGEST))}"] = manifest
        server.answers[f"/v2/app/blobs/{digest(VEX.data)}"] = blob
        attached = find_attached(image, PLAIN)
        assert attached.items == ()
        assert message in attached.problems[0].message


def test_a_blob_that_is_too_large_is_not_fetched() -> None:
    manifest = json.loads(VEX.manifest(DIGEST))
    manifest["layers"][0]["size"] = 1 << 30
    raw = json.dumps(manifest).encode()
    listed = {"mediaType": INDEX, "manifests": [{"mediaType": MANIFEST, "digest": digest(raw), "size": len(raw)}]}
    with serving() as server:
        image = served(server)
        server.answers[LIST] = Answer(json.dumps(listed).encode())
        server.answers[f"/v2/app/manifests/{digest(raw)}"] = Answer(raw)
        attached = find_attached(image, PLAIN)
        assert "a blob of 1073741824 bytes" in attached.problems[0].message
        assert not [path for path in server.paths() if "/blobs/" in path]


def test_nobody_answers() -> None:
    ref = parse_reference("registry:127.0.0.1:1/app:1")
    image = Image(ref, Digest("sha256:" + "9" * 64), Digest(DIGEST), ImageConfig(Platform("linux", "amd64")), ())
    (problem,) = find_attached(image, PLAIN).problems
    assert "cannot be reached" in problem.message


# ── layouts ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_manifests_with_a_subject_in_a_layout(tmp_path: Path) -> None:
    layout = Layout()
    image = layout.image("app")
    subject = image["digest"]
    signature, later = simple(P256, subject), bundle(P256, subject)
    other = attestation(P256, "sha256:" + "2" * 64)
    entries = [
        image,
        lay(layout, later, subject),
        lay(layout, other._replace(artifact_type="application/x"), "sha256:" + "2" * 64),
        lay(layout, signature, **named(dashed(subject, ".sig"))["annotations"]),
    ]
    path = layout.write(tmp_path / "layout", entries)
    expected = {digest(signature.data): subject, digest(later.data): subject}
    assert found(find_attached(described(f"oci-dir:{path}"), PLAIN)) == expected
    files = {str(each.relative_to(path)): each.read_bytes() for each in path.rglob("*") if each.is_file()}
    archive = tmp_path / "layout.tar"
    archive.write_bytes(builders.layer(files))
    assert found(find_attached(described(f"oci-archive:{archive}"), PLAIN)) == expected


def test_what_cosign_saves(tmp_path: Path) -> None:
    layout = Layout()
    image = layout.image("app", annotations={"kind": "dev.cosignproject.cosign/image"})
    mark, said = simple(P256, image["digest"]), attestation(P256, image["digest"], OPENVEX)
    kinds = {"kind": "dev.cosignproject.cosign/sigs"}, {"kind": "dev.cosignproject.cosign/atts"}
    path = layout.write(tmp_path / "saved", [image, lay(layout, mark, **kinds[0]), lay(layout, said, **kinds[1])])
    shown = described(f"oci-dir:{path}")
    assert shown.digest == image["digest"]
    assert found(find_attached(shown, PLAIN)) == dict.fromkeys(map(digest, (mark.data, said.data)), image["digest"])


def test_a_blob_that_is_missing_in_a_layout(tmp_path: Path) -> None:
    layout = Layout()
    image = layout.image("app")
    path = layout.write(tmp_path / "layout", [image, lay(layout, VEX, image["digest"])])
    (path / "blobs" / "sha256" / digest(VEX.data)[7:]).unlink()
    attached = find_attached(described(f"oci-dir:{path}"), PLAIN)
    assert (attached.items, "is missing" in attached.problems[0].message) == ((), True)


def test_sources_that_keep_nothing_beside_images(tmp_path: Path) -> None:
    path = builders.docker_archive(tmp_path / "image.tar", [builders.layer({"a": "1"})])
    (problem,) = find_attached(described(path), PLAIN).problems
    assert "docker-archive keeps nothing beside images" in problem.message
    image = Image(ImageRef("sbom", "x", path="x"), Digest(""), Digest(""), ImageConfig(Platform("", "")), ())
    assert find_attached(image, PLAIN).problems


# ── whether anything came or went since ──────────────────────────────────────────────────────────────────────


@needs_registry
def test_what_came_or_went_is_seen_by_lists_alone(registry: Registry, tmp_path: Path) -> None:
    image = pushed(registry, tmp_path, "came:1")
    known = find_attached(image, PLAIN)
    assert not hangs_otherwise(image, known, PLAIN)
    put(registry, "came", simple(P256, image.digest), dashed(image.digest, ".sig"))
    assert hangs_otherwise(image, known, PLAIN)
    known = find_attached(image, PLAIN)
    registry.forget()
    assert not hangs_otherwise(image, known, PLAIN)
    assert registry.blob_gets() == []
    refer(registry, "came", image.digest, VEX)
    assert hangs_otherwise(image, known, PLAIN)
    # A signature of a document is news as well.
    known = find_attached(image, PLAIN)
    manifest = digest(VEX.manifest(image.digest))
    put(registry, "came", simple(P256, manifest), dashed(manifest, ".sig"))
    assert hangs_otherwise(image, known, PLAIN)
    assert not hangs_otherwise(image, find_attached(image, PLAIN), PLAIN)


def test_what_cannot_be_had_is_news_once() -> None:
    with serving() as server:
        image = served(server)
        holding(server, VEX)
        server.answers[LIST] = Answer(index(DIGEST, VEX))
        known = find_attached(image, PLAIN)
        assert not hangs_otherwise(image, known, PLAIN)
        server.answers[LIST] = Answer(b"", 500)
        assert hangs_otherwise(image, known, PLAIN)
        known = find_attached(image, PLAIN)
        assert known.problems
        assert not hangs_otherwise(image, known, PLAIN)
        server.answers[LIST] = Answer(index(DIGEST, VEX))
        assert hangs_otherwise(image, known, PLAIN)


@pytest.mark.parametrize("status", [404, 500])
def test_an_artifact_that_cannot_be_had_is_no_news_every_time(status: int) -> None:
    with serving() as server:
        image = served(server)
        holding(server, VEX)
        server.answers[LIST] = Answer(index(DIGEST, bundle(P256, DIGEST), VEX))
        server.answers[f"/v2/app/blobs/{digest(VEX.data)}"] = Answer(b"", status)
        known = find_attached(image, PLAIN)
        assert known.problems
        assert not hangs_otherwise(image, known, PLAIN)


def test_a_source_that_keeps_nothing_beside_images_has_no_news() -> None:
    ref = ImageRef("docker-archive", "x.tar", path="x.tar")
    image = Image(ref, Digest(DIGEST), Digest(DIGEST), ImageConfig(Platform("linux", "amd64")), ())
    assert not hangs_otherwise(image, find_attached(image, PLAIN), PLAIN)
