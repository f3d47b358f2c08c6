"""Signatures and attached VEX from the outside: what a bundle trusts decides, also later without the registry."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.builders import layer, oci_dir
from tests.cli.auditing import OLD, at
from tests.cli.conftest import Run
from tests.cli.world import Done, archive, debian, tracker
from tests.registry import Registry, needs_registry, start_registry
from tests.signatures.attaching import dashed, put, refer
from tests.signatures.making import OPENVEX, OTHER, P256, Blob, attestation, digest, pem, simple
from tests.vex.documents import openvex, said

NOON = "2024-06-01T12:00:00Z"
HIGH = {"status": "resolved", "fixed_version": "3.0.13-1", "urgency": "high"}
PURL = f"pkg:deb/debian/libssl3@{OLD.replace('~', '%7E')}"
CVE = "CVE-2024-1001"
NOTHING_FOUND = "The image has no signature by release"


@dataclass
class World:
    """An image with one vulnerability in a registry."""

    run: Run
    registry: Registry
    path: Path
    name: str
    digest: str

    @property
    def repository(self) -> str:
        return self.name.partition("/")[2].partition(":")[0]

    def sign(self, key: Any) -> None:
        put(self.registry, self.repository, simple(key, self.digest), dashed(self.digest, ".sig"))

    def attest(self, key: Any, *statements: Any, of: str = "") -> Blob:
        made = attestation(key, of or self.digest, OPENVEX, json.loads(openvex(*statements)))
        put(self.registry, self.repository, made, dashed(self.digest, ".att"))
        return made

    def bundle(self, *rules: str, key: Any = P256, vex: str = "[]", name: str = "bundle.yaml") -> Path:
        (self.path / "release.pub").write_text(pem(key)) if key is P256 else None
        own = "release.pub" if key is P256 else json.dumps(pem(key))
        listed = "".join(f"  - {rule}\n" for rule in rules)
        text = (
            f'id: b\nversion: "1_0"\npolicies:\n- id: p\n  rules:\n{listed or "  []"}\n'
            f"trust:\n  signers:\n  - {{id: release, key: {own}}}\n  vex: {vex}\n"
        )
        (self.path / name).write_text(text)
        return self.path / name

    def scan(self, *args: object, image: str = "") -> Done:
        return self.run("scan", image or self.name, "--no-tls-verify", "-o", "json", *args, env=at(NOON))


SIGNED = "{gate: image, trigger: signature_missing, action: stop, params: {signer: [release]}}"
VULNERABLE = (
    "{gate: vulnerabilities, trigger: package, action: stop, "
    "params: {package_type: all, severity_comparison: '>=', severity: high}}"
)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with start_registry(tmp_path_factory.mktemp("registry")) as running:
        yield running


@pytest.fixture
def world(run: Run, tmp_path: Path, registry: Registry, request: pytest.FixtureRequest) -> World:
    layout = oci_dir(tmp_path / "layout", [layer(debian(f"libssl3={OLD}<openssl", "bash=5.2-1"))])
    repository = request.node.name.partition("[")[0].replace("test_", "app-").replace("_", "-")
    name = registry.push(f"oci:{layout}", f"{repository}:1")
    source = tracker(tmp_path / "tracker.json", {"openssl": {CVE: HIGH}})
    assert run("feeds", "sync", "debian", "--from", source, env=at(NOON)).code == 0
    image = json.loads((layout / "index.json").read_bytes())["manifests"][0]["digest"]
    return World(run, registry, tmp_path, name, image)


@needs_registry
def test_a_signature_decides_and_decides_again_without_the_registry(world: World, tmp_path: Path) -> None:
    bundle = world.bundle(SIGNED)
    unsigned = world.scan("--policy", bundle)
    assert (unsigned.code, [each["message"] for each in unsigned.json["verdict"]["findings"]]) == (1, [NOTHING_FOUND])
    assert unsigned.json["attached"] == []
    world.sign(OTHER)
    (finding,) = world.scan("--policy", bundle).json["verdict"]["findings"]
    assert "one that is not verified (none of the bundle's signers made it)" in finding["message"]
    assert finding["trigger_id"] == unsigned.json["verdict"]["findings"][0]["trigger_id"]
    world.sign(P256)
    done = world.scan("--policy", bundle)
    assert done.code == 0, done.err
    (found,) = done.json["attached"]
    assert (found["kind"], found["check"], found["signer"]) == ("signature", "verified", "release")
    (rule,) = done.json["verdict"]["rules"]
    assert (rule["status"], rule["looked_at"]) == ("silent", "1 attachment")
    # From here on nothing is asked of any registry.
    world.registry.forget()
    report = tmp_path / "report.json"
    report.write_text(done.out)
    assert world.run("verify", report).code == 0
    own = done.json["evaluation"]["bundle_digest"]
    again = world.run("replay", "3", "--policy", own, "-o", "json", env=at(NOON))
    assert (again.code, again.json["attached"]) == (0, done.json["attached"])
    theirs = world.run(
        "replay", "3", "--policy", world.bundle(SIGNED, key=OTHER, name="o.yaml"), "-o", "json", env=at(NOON)
    )
    assert (theirs.code, theirs.json["attached"][0]["check"]) == (1, "unchecked")
    shown = world.run("history", "show", "3")
    assert "attached" in shown.out
    assert "signature by release" in shown.out
    assert world.registry.manifest_gets() == []


@needs_registry
def test_vex_that_hangs_on_the_image_counts_for_its_signer_alone(world: World) -> None:
    made = world.attest(P256, said(CVE, PURL, impact_statement="never called"))
    named = f"attached {digest(made.data)[:19]}"
    believed = world.bundle(VULNERABLE, vex="[release]")
    done = world.scan("--policy", believed)
    assert done.code == 0, done.err
    (match,) = done.json["suppressed"]
    assert match["reason"] == (
        f"VEX not_affected (vulnerable_code_not_present; never called): {named} by Example Org, signed by release"
    )
    (source,) = done.json["evaluation"]["vex"]
    assert (source["name"], source["digest"], source["signer"]) == (named, digest(made.data), "release")
    own = done.json["evaluation"]["bundle_digest"]
    replayed = world.run("replay", "1", "--policy", own, "-o", "json", env=at(NOON))
    assert replayed.json["suppressed"][0]["reason"] == match["reason"]
    for other, why in (
        (world.bundle(VULNERABLE, SIGNED, name="none.yaml"), "its signer release is not among those"),
        (
            world.bundle(VULNERABLE, key=OTHER, vex="[release]", name="else.yaml"),
            "none of the bundle's signers made it",
        ),
    ):
        done = world.scan("--policy", other)
        assert (done.code, done.json["suppressed"]) == (1, [])
        (problem,) = [each for each in done.json["coverage"]["problems"] if each["stage"] == "vex"]
        assert why in problem["message"]
        assert not problem["incomplete"]


@needs_registry
def test_vex_attested_of_another_image_is_not_used(world: World) -> None:
    world.attest(P256, said(CVE, PURL), of="sha256:" + "5" * 64)
    done = world.scan("--policy", world.bundle(VULNERABLE, vex="[release]"))
    assert (done.code, done.json["suppressed"], done.json["attached"][0]["check"]) == (1, [], "wrong")


@needs_registry
def test_a_csaf_document_counts_once_its_manifest_is_signed(world: World) -> None:
    document = {
        "document": {"csaf_version": "2.0", "category": "csaf_vex", "publisher": {"name": "Vendor"},
                     "tracking": {"current_release_date": "2024-05-01T00:00:00Z"}},
        "product_tree": {"full_product_names": [{"product_id": "p", "name": "p",
                                                 "product_identification_helper": {"purl": PURL}}]},
        "vulnerabilities": [{"cve": CVE, "product_status": {"known_not_affected": ["p"]},
                             "flags": [{"label": "vulnerable_code_not_present", "product_ids": ["p"]}]}],
    }  # fmt: skip
    blob = Blob(json.dumps(document).encode(), "application/json", artifact_type="application/csaf+json")
    refer(world.registry, world.repository, world.digest, blob)
    bundle = world.bundle(VULNERABLE, vex="[release]")
    assert world.scan("--policy", bundle).code == 1
    manifest = digest(blob.manifest(world.digest))
    put(world.registry, world.repository, simple(P256, manifest), dashed(manifest, ".sig"))
    done = world.scan("--policy", bundle)
    assert (done.code, done.json["evaluation"]["vex"][0]["format"]) == (0, "csaf")


@needs_registry
def test_nobody_asks_for_what_nobody_needs(world: World) -> None:
    world.sign(P256)
    world.registry.forget()
    done = world.scan()
    assert "attached" not in done.json
    assert not [each for each in world.registry.manifest_gets() if each.startswith("sha256-")]
    asked = world.scan("--attached")
    assert [each["check"] for each in asked.json["attached"]] == ["unchecked"]
    assert asked.json["attached"][0]["note"] == "the bundle names no signers"


def test_where_nothing_can_be_attached_the_rule_cannot_be_decided(run: Run, tmp_path: Path) -> None:
    archive(tmp_path / "image.tar", debian("bash=5.2-1"))
    (tmp_path / "release.pub").write_text(pem(P256))
    (tmp_path / "b.yaml").write_text(
        f'id: b\nversion: "1_0"\npolicies:\n- id: p\n  rules:\n  - {SIGNED}\n'
        "trust:\n  signers:\n  - {id: release, key: release.pub}\n"
    )
    done = run("scan", tmp_path / "image.tar", "--policy", tmp_path / "b.yaml", "-o", "json", env=at(NOON))
    assert (done.code, done.json["verdict"]["status"]) == (4, "indeterminate")
    assert "docker-archive keeps nothing beside images" in done.json["verdict"]["problems"][0]["message"]


def _round(world: World, bundle: Path) -> Done:
    return world.run("watch", "run", "--once", "--no-tls-verify", "--policy", bundle, env=at(NOON))


@needs_registry
def test_what_is_attached_to_an_unchanged_image_is_judged_in_the_next_round(world: World) -> None:
    bundle = world.bundle(SIGNED, VULNERABLE, vex="[release]")
    assert world.run("watch", "add", world.name, env=at(NOON)).code == 0
    assert _round(world, bundle).out == ""
    count = len(world.run("history", "--json").json)
    # Nothing new: lists are asked for, no artifact, and nothing is kept.
    world.registry.forget()
    assert _round(world, bundle).out == ""
    assert world.registry.blob_gets() == []
    assert len(world.run("history", "--json").json) == count
    world.sign(P256)
    done = _round(world, bundle)
    assert (done.code, len(world.run("history", "--json").json)) == (0, count + 1), done.err
    world.attest(P256, said(CVE, PURL))
    told = _round(world, bundle).out
    assert "vuln_update" in told
    assert "policy_eval" in told
    assert _round(world, bundle).out == ""
    assert len(world.run("history", "--json").json) == count + 2


@needs_registry
def test_who_looks_at_nothing_attached_asks_for_no_list(world: World) -> None:
    bundle = world.bundle(VULNERABLE, name="plain.yaml")
    bundle.write_text(bundle.read_text().partition("trust:")[0])
    assert world.run("watch", "add", world.name, env=at(NOON)).code == 0
    _round(world, bundle)
    count = len(world.run("history", "--json").json)
    world.sign(P256)
    world.registry.forget()
    assert _round(world, bundle).out == ""
    assert len(world.run("history", "--json").json) == count
    assert not [each for each in world.registry.manifest_gets() if each.endswith(".sig")]
