"""A VEX document of the Common Security Advisory Framework.

Format: https://docs.oasis-open.org/csaf/csaf/v2.0/os/csaf-v2.0-os.html: the profile ``csaf_vex`` (4.5), the tests it
has to pass (6.1): a vulnerability stands there once, no product in two groups that contradict each other, a reason for
each that is not affected, and what is done for each that is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from anchorecli.errors import UsageError
from anchorecli.model import Json, Report
from anchorecli.vex.saying import Author, Saying, digest_of, image_purl
from anchorecli.vex.values import VexStatus

_CVE = re.compile(r"CVE-[0-9]{4}-[0-9]{4,}")
_GROUPS = {
    VexStatus.AFFECTED: "known_affected",
    VexStatus.UNDER_INVESTIGATION: "under_investigation",
    VexStatus.FIXED: "fixed",
    VexStatus.NOT_AFFECTED: "known_not_affected",
}
"""The more cautious first: a product is in one alone."""
_SYSTEMS = {"GHSA": "GitHub Security Advisories", "CVE": "CVE", "RUSTSEC": "RustSec", "PYSEC": "PyPI Advisory Database"}
IMAGE = "IMAGE"

Object = dict[str, Json]


def csaf(report: Report, author: Author, said: list[Saying]) -> Object:
    """A document of the profile csaf_vex. Raises: UsageError without a namespace, or with nothing to say."""
    if not re.match(r"https?://\S+$", author.namespace):
        hint = "--namespace URL, such as https://example.org"
        raise UsageError("CSAF wants the publisher's namespace: a URL under which its name is unique", hint=hint)
    if not said:
        raise UsageError("nothing is settled or accepted, and CSAF has no empty VEX documents", hint="write openvex")
    packages = {each[0]: each for one in said for each in one.packages}
    ids = {purl: f"PKG-{place}" for place, purl in enumerate(sorted(packages), 1)}
    tree = _tree(report, [packages[purl] for purl in sorted(packages)], ids)
    names = sorted({each.name for each in said})
    vulnerabilities = [_vulnerability(name, [each for each in said if each.name == name], ids) for name in names]
    body: Object = {"product_tree": tree, "vulnerabilities": vulnerabilities}
    return {"document": _document(report, author, digest_of([author, body])), **body}


def _document(report: Report, author: Author, digest: str) -> Object:
    when = report.created_at
    engine = {"name": "anchore", "version": report.tool_version}
    return {
        "category": "csaf_vex",
        "csaf_version": "2.0",
        "publisher": {"category": "other", "name": author.name, "namespace": author.namespace},
        "title": f"Vulnerabilities of {report.analysis.image.ref.name or 'an image'}",
        "tracking": {
            "current_release_date": when,
            "generator": {"date": when, "engine": engine},
            "id": f"anchore-vex-{digest[:32]}",
            "initial_release_date": when,
            "revision_history": [{"date": when, "number": "1", "summary": "As evaluated."}],
            "status": "final",
            "version": "1",
        },
    }


def _tree(report: Report, packages: Iterable[tuple[str, str, str]], ids: dict[str, str]) -> Object:
    image = report.analysis.image
    called = image.ref.name or image.digest or image.image_id
    names = [_product(IMAGE, called, image_purl(report))]
    relationships = []
    for purl, name, version in packages:
        names.append(_product(ids[purl], f"{name} {version}".strip(), purl))
        inside = {"name": f"{name} {version} in {called}", "product_id": _inside(ids[purl])}
        relationships.append({
            "category": "default_component_of",
            "full_product_name": inside,
            "product_reference": ids[purl],
            "relates_to_product_reference": IMAGE,
        })  # fmt: skip
    return {"full_product_names": names, "relationships": relationships}


def _product(identity: str, name: str, purl: str) -> Object:
    return {"name": name, "product_id": identity, "product_identification_helper": {"purl": purl}}


def _inside(identity: str) -> str:
    return f"{IMAGE}:{identity}"


def _vulnerability(name: str, said: list[Saying], ids: dict[str, str]) -> Object:
    """All that is said of one vulnerability."""
    held = dict(_held(said, ids))
    groups = {group: [each for each in held if held[each].status is status] for status, group in _GROUPS.items()}
    aliases = sorted({alias for each in said for alias in each.aliases})
    other = [each for each in (name, *aliases) if each != name or not _CVE.fullmatch(name)]
    made: Object = {"cve": name} if _CVE.fullmatch(name) else {}
    if other:
        made["ids"] = [{"system_name": _system(each), "text": each} for each in dict.fromkeys(other)]
    text = "; ".join(sorted({each.reason for each in said}))
    made["notes"] = [{"category": "description", "text": text, "title": "Why"}]
    made["product_status"] = {group: products for group, products in groups.items() if products}
    actions, impacts = groups["known_affected"], groups["known_not_affected"]
    if actions:
        made["remediations"] = [
            {"category": "no_fix_planned", "details": reason, "product_ids": products}
            for reason, products in _by_reason(actions, held)
        ]
    if impacts:
        made["threats"] = [
            {"category": "impact", "details": reason, "product_ids": products}
            for reason, products in _by_reason(impacts, held)
        ]
    return made


def _held(said: list[Saying], ids: dict[str, str]) -> Iterator[tuple[str, Saying]]:
    """Product → the statement that holds for it; the more cautious comes last."""
    order = list(_GROUPS)
    for each in sorted(said, key=lambda one: (-order.index(one.status), one.reason)):
        yield from ((_inside(ids[purl]), each) for purl, _, _ in each.packages)


def _by_reason(products: list[str], held: dict[str, Saying]) -> list[tuple[str, list[str]]]:
    reasons: dict[str, list[str]] = {}
    for each in products:
        reasons.setdefault(held[each].reason, []).append(each)
    return sorted(reasons.items())


def _system(name: str) -> str:
    return _SYSTEMS.get(name.partition("-")[0], "other")
