"""More slow readings of upstream's files: vendors of rpms, and databases of languages that are not OSV."""

from __future__ import annotations

import gzip
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import yaml
from oracles import CVE, Events, Statement

_UNFIXED = {"Affected", "Fix deferred", "Will not fix", "Out of support scope"}
_STREAM = re.compile(r"(Red Hat Enterprise Linux \d+)\.\d+ (?:Extended|Advanced|Telecommunications|Update).*")
_BUILD = re.compile(r"(.+)-((?:\d+:)?[^-:]+-[^-]+)")


def redhat_api(path: Path) -> Iterator[Statement]:
    """The statements of Red Hat's API about whole releases; modules, whose packages it does not name, are left out."""
    with zipfile.ZipFile(path) as archive:
        records = [json.loads(archive.read(name)) for name in archive.namelist() if not name.endswith("/")]
    for record in records:
        about = frozenset((record["name"],))
        fixed: dict[tuple[str, str], list[Events]] = {}
        for release in record.get("affected_release") or ():
            found = _BUILD.fullmatch(release.get("package") or "")
            if found and "/" not in found[1]:
                events = (("introduced", "0"), ("fixed", found[2]))
                # What is fixed in extended life alone has the flaw for everybody else, and for nobody who has the fix.
                space = release["product_name"].removesuffix(" Extended Lifecycle Support")
                fixed.setdefault((space, found[1]), []).append(events)
        for (space, package), ranges in list(fixed.items()):
            # A paid stream's fix counts for builds of its own minor release, where everybody's has another.
            if (stream := _STREAM.fullmatch(space)) and (stream[1], package) in fixed:
                fixed[stream[1], package] += ranges
        for (space, package), ranges in fixed.items():
            yield Statement(record["name"], about, space, package, tuple(dict.fromkeys(ranges)))
        for state in record.get("package_state") or ():
            package = state["package_name"]
            if "/" in package or ":" in package:
                continue
            if state["fix_state"] in _UNFIXED:
                yield Statement(record["name"], about, state["product_name"], package, ())
            elif state["fix_state"] == "Not affected":
                yield Statement(record["name"], about, state["product_name"], package, (), denies=True)


def suse_csaf(path: Path) -> Iterator[Statement]:
    """The statements of SUSE's advisories; the space is the number of the service pack, ``15 SP5``, in any product."""
    with zipfile.ZipFile(path) as archive:
        documents = [json.loads(archive.read(name)) for name in archive.namelist() if name.endswith(".json")]
    for document in documents:
        parts = {
            each["full_product_name"]["product_id"]: (each["relates_to_product_reference"], each["product_reference"])
            for each in document["product_tree"].get("relationships", ())
        }
        for vulnerability in document.get("vulnerabilities", ()):
            fixes: dict[tuple[str, str], set[str]] = {}
            for product in vulnerability["product_status"].get("recommended", ()):
                whole, build = parts[product]
                found = re.fullmatch(r"(.+)-([^-]+-[^-]+)\.\w+", build)
                space = re.search(r"^SUSE (?:Linux Enterprise (?!Micro)|Package Hub ).*?(15 SP\d)\b", whole)
                if found and space and not re.search(r"-debug(info|source)$", found[1]):
                    fixes.setdefault((space[1], found[1]), set()).add(found[2])
            about = frozenset((vulnerability["cve"],))
            for (space_, package), versions in sorted(fixes.items()):
                ranges = tuple((("introduced", "0"), ("fixed", each)) for each in sorted(versions))
                yield Statement(document["document"]["tracking"]["id"], about, space_, package, ranges)


def photon(path: Path) -> Iterator[Statement]:
    """The statements of Photon's OVAL, by the words of its criteria."""
    root = ElementTree.fromstring(gzip.decompress(path.read_bytes()))
    for definition in root.iterfind("{*}definitions/{*}definition"):
        named = [each.text or "" for each in definition.iterfind("{*}metadata/{*}advisory/{*}cve")]
        about = frozenset(filter(CVE.fullmatch, (word for each in named for word in re.split(r"[\s,]+", each))))
        for criterion in definition.iter("{http://oval.mitre.org/XMLSchema/oval-definitions-5}criterion"):
            found = re.fullmatch(r"(\S+) is earlier than (\S+)", criterion.get("comment", ""))
            if found and about:
                ranges: tuple[Events, ...] = ((("introduced", "0"), ("fixed", found[2])),)
                yield Statement(definition.get("id", ""), about, "photon", found[1], ranges)


def gitlab(root: Path) -> Iterator[Statement]:
    """The statements of GitLab's database on Conan: ``>=2.0 <2.8||=3.0``, alternatives of comparisons that all hold."""
    for path in sorted(root.rglob("*.yml")):
        record = yaml.safe_load(path.read_text("utf-8"))
        named = frozenset(filter(CVE.fullmatch, record["identifiers"])) or frozenset((record["identifier"],))
        ranges: list[Events] = []
        versions: set[str] = set()
        but: set[str] = set()
        for part in re.split(r"\|\|", record.get("affected_range") or ""):
            signs = dict(re.findall(r"(>=|<=|<|>|=)\s*([^\s,<>=|]+)", part))
            if "=" in signs:
                versions.add(signs["="])
            elif signs:
                last = [("fixed", signs["<"])] if "<" in signs else []
                last += [("last_affected", signs["<="])] if "<=" in signs else []
                ranges.append((("introduced", signs.get(">=") or signs.get(">", "0")), *last))
                but |= {signs[">"]} if ">" in signs else set()
        package = record["package_slug"].partition("/")[2]
        found = Statement(record["identifier"], named, "conan", package, tuple(ranges), frozenset(versions))
        yield found._replace(but=frozenset(but))
