"""Products named by CPE: they mean what bears the very name, and the image's distribution, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from anchorecli.cpe import parse_cpe
from anchorecli.model import (
    Analysis,
    Digest,
    Distro,
    FixState,
    Image,
    ImageConfig,
    ImageRef,
    Match,
    MatchVerdict,
    Package,
    Platform,
    Severity,
)
from anchorecli.vex import VexDocument
from anchorecli.vex.apply import applied
from anchorecli.vex.cpe import bears, is_system

from .documents import EARLY, LATE, openvex, read, said

OWN = "cpe:2.3:a:nodejs:node.js:18.20.4:*:*:*:lts:*:*:*"
NODE = Package("node", "18.20.4", "generic", "fuzzy", purl="pkg:generic/node@18.20.4", cpes=(OWN,))
RHEL = Distro("rhel", "9.4")


@pytest.mark.parametrize(
    ("text", "is_it"),
    [
        (OWN, True),
        (OWN.upper().replace("CPE", "cpe"), True),
        ("cpe:2.3:a:nodejs:node.js:*:*:*:*:*:*:*:*", True),
        ("cpe:2.3:a:nodejs:node.js:18.20.4:*:*:*:*:*:*:*", True),
        ("cpe:/a:nodejs:node.js:18.20.4", True),
        ("cpe:/a:nodejs:node.js", True),
        ("cpe:/a:nodejs:node.js:18.20.4::~~lts~~~", True),
        ("cpe:2.3:a:nodejs:node.js:18.20.5:*:*:*:*:*:*:*", False),
        ("cpe:2.3:a:nodejs:node.js:18:*:*:*:*:*:*:*", False),
        ("cpe:2.3:a:nodejs:node.js:18.20.4:rc1:*:*:*:*:*:*", False),
        ("cpe:2.3:a:nodejs:node.js:18.20.4:*:*:*:-:*:*:*", False),
        ("cpe:2.3:a:nodejs:node.js:18.20.4:*:*:*:*:windows:*:*", False),
        ("cpe:2.3:a:joyent:node.js:18.20.4:*:*:*:*:*:*:*", False),
        ("cpe:2.3:a:nodejs:nodejs:18.20.4:*:*:*:*:*:*:*", False),
        ("cpe:2.3:o:nodejs:node.js:18.20.4:*:*:*:*:*:*:*", False),
        ("cpe:2.3:a:*:node.js:*:*:*:*:*:*:*:*", False),
        ("cpe:2.3:a:nodejs:*:*:*:*:*:*:*:*:*", False),
        ("cpe:2.3:a:nodejs:node*:*:*:*:*:*:*:*:*", False),
        ("cpe:2.3:a:nodejs", False),
        ("cpe:/a:nodejs", False),
        ("cpe:nodejs", False),
        ("", False),
    ],
)
def test_what_a_package_bears(text: str, is_it: bool) -> None:
    assert bears(text, NODE) is is_it


def test_a_package_without_a_cpe_bears_none() -> None:
    assert not bears(OWN, Package("node", "18.20.4", "npm", "npm"))


def test_quoted_characters_are_themselves() -> None:
    assert parse_cpe(r"cpe:2.3:a:x:a\:b\+c:1:*:*:*:*:*:*:*") == ("a", "x", "a:b+c", "1", *["*"] * 7)
    assert parse_cpe("cpe:/a:x:a%3ab%2bc:1") == parse_cpe(r"cpe:2.3:a:x:a\:b\+c:1:*:*:*:*:*:*:*")


@pytest.mark.parametrize(
    ("text", "distro", "is_it"),
    [
        ("cpe:/o:redhat:enterprise_linux:9", RHEL, True),
        ("cpe:/a:redhat:enterprise_linux:9::appstream", RHEL, True),
        ("cpe:/o:redhat:enterprise_linux:9.4", RHEL, True),
        ("cpe:/o:redhat:enterprise_linux", RHEL, True),
        ("cpe:/o:redhat:enterprise_linux:8", RHEL, False),
        ("cpe:/o:redhat:enterprise_linux:9.2", RHEL, False),
        ("cpe:/o:redhat:enterprise_linux:9", Distro("rhel", "90"), False),
        ("cpe:/o:redhat:enterprise_linux:9", Distro("almalinux", "9.4"), False),
        ("cpe:/o:redhat:enterprise_linux:9", None, False),
        ("cpe:/o:debian:debian_linux:12", Distro("debian", "12"), True),
        ("cpe:/o:nobody:knows:12", Distro("debian", "12"), False),
    ],
)
def test_the_name_of_a_system_is_the_images_distribution(text: str, distro: Distro | None, is_it: bool) -> None:
    assert is_system(text, distro) is is_it


# ── through the formats ──────────────────────────────────────────────────────────────────────────────────────


def csaf(component: dict[str, str], platform: str = "") -> bytes:
    """``component`` is not affected: itself, or as a part of a platform."""
    names = [{"product_id": "C", "name": "c", "product_identification_helper": component}]
    tree: dict[str, Any] = {"full_product_names": names}
    if platform:
        names.append({"product_id": "P", "name": "p", "product_identification_helper": {"cpe": platform}})
        whole = {"product_id": "P:C", "name": "c in p"}
        tree["relationships"] = [{
            "category": "default_component_of", "full_product_name": whole,
            "product_reference": "C", "relates_to_product_reference": "P",
        }]  # fmt: skip
    head = {"csaf_version": "2.0", "category": "csaf_vex", "tracking": {"current_release_date": EARLY}}
    status = {"known_not_affected": ["P:C" if platform else "C"]}
    vulnerabilities = [{"cve": "CVE-2024-1", "product_status": status}]
    return json.dumps({"document": head, "product_tree": tree, "vulnerabilities": vulnerabilities}).encode()


def suppressed(document: VexDocument, package: Package, distro: Distro | None = RHEL) -> bool:
    reference = ImageRef("registry", "x", registry="docker.io", repository="x", tag="1")
    image = Image(reference, Digest("sha256:" + "1" * 64), Digest(""), ImageConfig(Platform("linux", "amd64")), ())
    match = Match(
        "CVE-2024-1", package, "CVE-2024-1", "f", MatchVerdict.AFFECTED, Severity.HIGH, FixState.UNKNOWN,
    )  # fmt: skip
    (found,), _ = applied([match], [document], Analysis(image, distro, (package,)), reference)
    return bool(found.suppressed)


def test_csaf_by_cpe_alone() -> None:
    document = read(csaf({"cpe": "cpe:/a:nodejs:node.js:18.20.4"}))
    assert document.remarks == ()
    assert suppressed(document, NODE)
    assert not suppressed(document, Package("node", "18.20.4", "npm", "npm", purl="pkg:npm/node@18.20.4"))


def test_a_purl_says_more_than_a_cpe() -> None:
    both = {"cpe": "cpe:/a:nodejs:node.js", "purl": "pkg:generic/node@16"}
    assert not suppressed(read(csaf(both)), NODE)


def test_a_package_inside_of_a_platform() -> None:
    bash = Package("bash", "5.1.8-9.el9", "rpm", "rpm", purl="pkg:rpm/redhat/bash@5.1.8-9.el9?arch=x86_64")
    document = read(csaf({"purl": "pkg:rpm/redhat/bash"}, "cpe:/a:redhat:enterprise_linux:9::appstream"))
    assert suppressed(document, bash)
    assert not suppressed(document, bash, Distro("rhel", "8.9"))
    assert not suppressed(document, bash, None)


def test_the_platform_alone_means_no_package() -> None:
    document = read(csaf({"cpe": "cpe:/o:redhat:enterprise_linux:9"}))
    assert not suppressed(document, NODE)


def test_openvex_and_cyclonedx_by_cpe() -> None:
    product = [{"identifiers": {"cpe23": OWN}}]
    assert suppressed(read(openvex(said("CVE-2024-1", product))), NODE)
    document = {
        "bomFormat": "CycloneDX", "specVersion": "1.6", "metadata": {"timestamp": LATE},
        "components": [{"bom-ref": "n", "type": "application", "name": "node", "cpe": OWN}],
        "vulnerabilities": [{"id": "CVE-2024-1", "analysis": {"state": "not_affected"}, "affects": [{"ref": "n"}]}],
    }  # fmt: skip
    assert suppressed(read(json.dumps(document).encode()), NODE)
