"""CISA's additions to CVE records ("vulnrichment"): scores, weaknesses and products of CVEs that NVD has not come to.

Statements are NVD's (``nvd``, by ``vendor:product``) and of the same weight; they come from CISA's container and from
the publisher's own where those name CPEs.

Format: https://github.com/cisagov/vulnrichment, ``YYYY/NNxxx/CVE-….json``: CVE JSON 5 (https://cveproject.github.io/
cve-schema/schema/docs/), ``containers.cna`` and ``containers.adp`` with metrics, problemTypes and affected (cpes, and
versions with version, status, lessThan, lessThanOrEqual). Not handled: SSVC; changes inside of a version's range.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anchorecli.feeds.base import Progress, Snapshot, fetch_one, from_path
from anchorecli.feeds.language.cpe_match import SCHEME, SPACE, is_package, limits_of, name_of, spoken_of
from anchorecli.feeds.language.nvd_record import CISA, ID, score_of, severity_of
from anchorecli.feeds.language.trees import records
from anchorecli.feeds.osv_record import moment
from anchorecli.feeds.record import one_line
from anchorecli.model import Advisory, Affected, Cvss, FeedState, Problem, Range
from anchorecli.values import dataclass

if TYPE_CHECKING:
    from anchorecli.net import Fetcher

Json = dict[str, Any]
_METRICS = ("cvssV4_0", "cvssV3_1", "cvssV3_0", "cvssV2_0")
_NO_VERSION = ("", "0", "n/a", "*", "unspecified", "-")


@dataclass(frozen=True, slots=True)
class Vulnrichment:
    """Every CVE that CISA has looked at."""

    name: str = "vulnrichment"
    title: str = "CISA vulnrichment (CPE matches, scores)"
    url: str = "https://codeload.github.com/cisagov/vulnrichment/zip/refs/heads/develop"
    attribution: str = "CISA vulnrichment, CC0-1.0"
    version: int = 1

    def fetch(self, fetcher: Fetcher, state: FeedState | None, url: str, progress: Progress) -> Snapshot | None:
        """The repository's zip."""
        return fetch_one(fetcher, state, url, progress)

    def open(self, path: Path) -> Snapshot:
        """A clone, a zip of it, or a part of either."""
        return from_path(path)

    def parse(self, snapshot: Snapshot) -> Iterator[Advisory | Problem]:
        """Every CVE of which something is known beside its text."""
        return records(snapshot, self.name, _is_record, self._read)

    def _read(self, name: str, data: bytes) -> Advisory | None:
        record = json.loads(data)
        about = _object(record, "cveMetadata")
        identifier = about.get("cveId")
        if not isinstance(identifier, str) or not ID.fullmatch(identifier):
            raise ValueError("no usable id")
        own, cisa = _containers(record)
        both = [container for container in (cisa, own) if container]
        scores = tuple(dict.fromkeys(score for each in both for score in _scores(each)))
        affected = tuple(dict.fromkeys(found for each in both for found in _affected(each)))
        weaknesses = tuple(dict.fromkeys(found for each in both for found in _weaknesses(each)))
        if not scores and not affected:
            return None
        modified = _moment(about, "dateUpdated")
        return Advisory(
            identifier,
            self.name,
            severity=severity_of(scores),
            summary=one_line(_title(own)),
            url=f"https://www.cve.org/CVERecord?id={identifier}",
            published=_moment(about, "datePublished"),
            modified=modified,
            withdrawn=modified if about.get("state") == "REJECTED" else "",
            cvss=scores,
            affected=(*affected, spoken_of(identifier, weaknesses)),
        )


def _is_record(name: str) -> bool:
    return name.rpartition("/")[2].startswith("CVE-") and name.endswith(".json")


def _containers(record: Json) -> tuple[Json, Json]:
    """The publisher's container and CISA's, empty where it is missing."""
    containers = _object(record, "containers")
    added = [each for each in _objects(containers, "adp") if _object(each, "providerMetadata").get("orgId") == CISA]
    return _object(containers, "cna"), added[0] if added else {}


def _scores(container: Json) -> Iterator[Cvss]:
    provider = _object(container, "providerMetadata")
    source = provider.get("orgId") if provider.get("orgId") == CISA else provider.get("shortName")
    for metric in _objects(container, "metrics"):
        for kind in _METRICS:
            if score := score_of(metric.get(kind), str(source or "")):
                yield score


def _affected(container: Json) -> Iterator[Affected]:
    """The statements with CPEs; one that names a product without saying which versions says nothing."""
    for entry in _objects(container, "affected"):
        ranges, versions = _versions(entry)
        if not ranges and not versions:
            continue
        cpes = entry.get("cpes") or []
        if not isinstance(cpes, list):
            raise ValueError("cpes is not a list")
        for cpe in dict.fromkeys(each for each in cpes if isinstance(each, str)):
            name = name_of(cpe)
            if name is not None and is_package(name):
                yield Affected(SPACE, name.product, SCHEME, ranges=ranges, versions=versions, arches=limits_of(name))


def _versions(entry: Json) -> tuple[tuple[Range, ...], tuple[str, ...]]:
    ranges: dict[Range, None] = {}
    versions: dict[str, None] = {}
    for each in _objects(entry, "versions"):
        first, below, last = (_text(each, key) for key in ("version", "lessThan", "lessThanOrEqual"))
        if each.get("status") != "affected":
            continue
        low = "" if first.lower() in _NO_VERSION else first
        if below or last:
            ranges[Range(low, fixed="" if below == "*" else below, last_affected="" if last == "*" else last)] = None
        elif low:
            versions[low] = None
    return tuple(ranges), tuple(versions)


def _weaknesses(container: Json) -> Iterator[str]:
    for problem_type in _objects(container, "problemTypes"):
        for each in _objects(problem_type, "descriptions"):
            if (value := _text(each, "cweId")).startswith("CWE-"):
                yield value


def _title(container: Json) -> str:
    texts = [_text(each, "value") for each in _objects(container, "descriptions") if each.get("lang") != "es"]
    return next(filter(None, (_text(container, "title"), *texts)), "")[:2000]


def _moment(value: Json, name: str) -> str:
    text = _text(value, name)
    return moment(text if text.endswith("Z") else f"{text}Z")


def _text(value: Json, name: str) -> str:
    found = value.get(name) or ""
    if not isinstance(found, str):
        raise ValueError(f"{name} is not text")
    return found.strip() if name in ("title", "value") or found.isprintable() else ""


def _object(value: Any, name: str) -> Json:
    found = value.get(name, {}) if isinstance(value, dict) else None
    if not isinstance(found, dict):
        raise ValueError(f"{name} is not an object")
    return found


def _objects(value: Json, name: str) -> list[Json]:
    found = value.get(name) or []
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise ValueError(f"{name} is not a list of objects")
    return found
