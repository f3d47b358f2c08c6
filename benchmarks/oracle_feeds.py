"""The slow readings of those of upstream's files that are not OSV: standard library, YAML, nothing of the program."""

from __future__ import annotations

import gzip
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import yaml
from oracles import CVE, Events, Statement


def secdb(root: Path) -> Iterator[Statement]:
    """The statements of a tree of Alpine's secdb, ``v3.20/main.json``."""
    for path in sorted(root.rglob("*.json")):
        content = json.loads(path.read_bytes())
        for entry in content["packages"] or ():
            fixes: dict[str, list[str]] = {}
            for version, lines in (entry["pkg"].get("secfixes") or {}).items():
                for line in lines or ():
                    ids = re.findall(r"CVE[-_](\d{4}-\d{4,})", line, re.IGNORECASE)
                    words = [f"CVE-{each}" for each in ids] or [
                        w for w in line.split() if re.fullmatch(r"[\w-]*\d[\w-]*", w)
                    ][:1]
                    for identifier in words:
                        fixes.setdefault(identifier, []).append(version)
            for identifier, versions in fixes.items():
                bounds = [version for version in versions if version != "0"]
                ranges = tuple((("introduced", "0"), ("fixed", bound)) for bound in bounds)
                if bounds:
                    space = content["distroversion"]
                    yield Statement(identifier, frozenset((identifier,)), space, entry["pkg"]["name"], ranges)


def debian_tracker(path: Path) -> Iterator[Statement]:
    """The statements of the Debian tracker's export; the space is the release's code name."""
    for package, entries in json.loads(path.read_bytes()).items():
        for identifier, entry in entries.items():
            releases = entry["releases"]
            for release, said in releases.items() if isinstance(releases, dict) else ():
                fixed = said.get("fixed_version", "")
                if said["status"] == "resolved" and fixed != "0":
                    ranges: tuple[Events, ...] = ((("introduced", "0"), ("fixed", fixed)),)
                elif said["status"] == "resolved":
                    continue
                else:
                    ranges = ()
                yield Statement(identifier, frozenset((identifier,)), release, package, ranges)


def arch(path: Path) -> Iterator[Statement]:
    """The statements of Arch's groups; what has no fix is about every version, as the group's own page has it."""
    with zipfile.ZipFile(path) as archive:
        groups = [json.loads(archive.read(name)) for name in archive.namelist() if name.endswith(".json")]
    for group in groups:
        if group["status"] == "Not affected":
            continue
        ranges = ((("introduced", "0"), ("fixed", group["fixed"])),) if group["fixed"] else ()
        for package in group["packages"]:
            for identifier in group["issues"] or [group["name"]]:
                yield Statement(group["name"], frozenset((identifier,)), "arch", package, ranges)


def amazon(path: Path) -> Iterator[Statement]:
    """The statements of Amazon's errata as the vuls project keeps them; the space is the collection's name."""
    with zipfile.ZipFile(path) as archive:
        errata = [json.loads(archive.read(name)) for name in archive.namelist()]
    for erratum in errata:
        references = erratum["References"]["Reference"] or ()
        named = frozenset(each["ID"] for each in references if CVE.fullmatch(each["ID"]))
        collection = erratum["Pkglist"]["Collection"]
        fixes = {
            (each["Name"], f"{each['Epoch']}:{each['Version']}-{each['Release']}")
            for each in collection["Package"]
            if each["Arch"] in ("x86_64", "noarch") and "-debug" not in each["Name"]  # symbols are no code
        }
        for package, fix in sorted(fixes):
            about = named or frozenset((erratum["ID"],))
            ranges = ((("introduced", "0"), ("fixed", fix)),)
            yield Statement(erratum["ID"], about, collection["Short"].partition("---")[0], package, ranges)


def azurelinux(path: Path) -> Iterator[Statement]:
    """The statements of Microsoft's OVAL; the words of its criteria and its tests say the same, the tests are read."""
    root = ElementTree.fromstring(gzip.decompress(path.read_bytes()))
    by_id = {each.get("id", ""): each for each in root.iter() if each.get("id")}
    for definition in root.iterfind("{*}definitions/{*}definition"):
        identifier = definition.find("{*}metadata/{*}reference").get("ref_id")
        said = definition.findtext("{*}metadata/{*}patchable")
        for criterion in definition.iter("{http://oval.mitre.org/XMLSchema/oval-definitions-5}criterion"):
            test = by_id[criterion.get("test_ref", "")]
            package = by_id[test.find("{*}object").get("object_ref")].findtext("{*}name")
            evr = by_id[test.find("{*}state").get("state_ref")].find("{*}evr")
            kind = {"less than": "fixed", "less than or equal": "last_affected"}[evr.get("operation")]
            if said != "Not Applicable":
                last = re.sub(
                    r"^(\d+:)?.*,", r"\1", evr.text
                )  # one definition lists a fix for each branch, of which this has the last
                ranges = ((("introduced", "0"), (kind, last)),)
                yield Statement(definition.get("id"), frozenset((identifier,)), "azurelinux", package, ranges)


def ubuntu_tracker(root: Path) -> Iterator[Statement]:
    """The statements of Ubuntu's CVE tracker; the space is the release's code name."""
    for path in sorted(root.glob("*/CVE-*")):
        text = path.read_text("utf-8")
        identifier = re.search(r"^Candidate: *(CVE-\S+)", text, re.MULTILINE)[1]
        for release, package, status, detail in re.findall(
            r"^([a-z]+)_([a-z0-9][a-z0-9.+-]*): *([a-z-]+)(?: +\(([^)]*)\))?", text, re.MULTILINE
        ):
            version = re.match(r"(?:\d+:)?\d[\w.+~:-]*$", detail)
            if status in ("DNE", "not-affected") or (status == "released" and not version):
                continue
            ranges = ((("introduced", "0"), ("fixed", detail)),) if status == "released" else ()
            yield Statement(identifier, frozenset((identifier,)), release, package, ranges)


def rubysec(root: Path) -> Iterator[Statement]:
    """The statements of the Ruby advisory database: what is neither patched nor unaffected, as RubyGems reads that."""
    for path in sorted(root.glob("gems/*/*.yml")):
        record = yaml.safe_load(path.read_text("utf-8"))
        about = frozenset((f"CVE-{record['cve']}",) if record.get("cve") else (path.stem,))
        safe = (*(record.get("patched_versions") or ()), *(record.get("unaffected_versions") or ()))
        yield Statement(path.stem, about, "RubyGems", record["gem"], (), safe=safe)


def phpsec(root: Path) -> Iterator[Statement]:
    """The statements of FriendsOfPHP: comparisons that hold together, branch by branch."""
    kinds = {">=": "introduced", "<": "fixed", "<=": "last_affected"}
    for path in sorted(root.rglob("*.yaml")):
        record = yaml.safe_load(path.read_text("utf-8"))
        ranges: list[Events] = []
        for branch in record["branches"].values():
            listed = branch["versions"] if isinstance(branch["versions"], list) else [branch["versions"]]
            parts = [re.fullmatch(r"\s*(>=|<=|<)\s*(\S+)\s*", each) for each in listed]
            events = tuple((kinds[part[1]], part[2]) for part in parts if part)
            if len(events) == len(listed):
                ranges.append(events if events[0][0] == "introduced" else (("introduced", "0"), *events))
        package = record["reference"].removeprefix("composer://").lower()
        named = re.findall(r"GHSA(?:-[0-9a-z]{4}){3}$", record["link"]) or [f"{package}/{path.stem}"]
        about = frozenset((record["cve"],) if CVE.fullmatch(str(record["cve"])) else named)
        yield Statement(path.stem, about, "Packagist", package, tuple(ranges))


def bitnami(root: Path) -> Iterator[Statement]:
    """The statements of Bitnami's database, OSV in a tree."""
    from oracles import osv_record

    for path in sorted(root.rglob("*.json")):
        record: dict[str, Any] = json.loads(path.read_bytes())
        for each in osv_record(record):
            yield each._replace(space="Bitnami", package=each.package.lower())
