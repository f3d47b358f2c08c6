"""Small documents in the forms that the distributors publish, made here."""

from __future__ import annotations

import bz2
import io
import tarfile
from collections.abc import Iterable, Mapping
from typing import Any

from anchorecli.feeds.base import Driver
from anchorecli.feeds.snapshot import Snapshot
from anchorecli.model import Advisory, Affected, Problem

NAMESPACE = "http://oval.mitre.org/XMLSchema/oval-definitions-5"


def tarred(members: Mapping[str, bytes], mode: str = "w") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for name, data in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def bzipped(text: str) -> bytes:
    return bz2.compress(text.encode())


def oval(definitions: str, tests: str = "", objects: str = "", states: str = "") -> str:
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\n<oval_definitions xmlns="{NAMESPACE}" xmlns:l="{NAMESPACE}#linux">'
        f"<generator/><definitions>{definitions}</definitions><tests>{tests}</tests>"
        f"<objects>{objects}</objects><states>{states}</states></oval_definitions>"
    )


def rpm_test(number: int, package: str, operation: str = "", version: str = "", *, tag: str = "evr") -> tuple[str, ...]:
    """A test with its object and state: number, package, ``less than``, ``0:1-1``."""
    state = f'<l:state state_ref="ste:{number}"/>' if operation else ""
    return (
        f'<l:rpminfo_test id="tst:{number}" check="at least one"><l:object object_ref="obj:{number}"/>{state}'
        "</l:rpminfo_test>",
        f'<l:rpminfo_object id="obj:{number}"><l:name>{package}</l:name></l:rpminfo_object>',
        f'<l:rpminfo_state id="ste:{number}"><l:{tag} operation="{operation}">{version}</l:{tag}></l:rpminfo_state>'
        if operation
        else "",
    )


def joined(*parts: tuple[str, ...]) -> tuple[str, str, str]:
    return "".join(each[0] for each in parts), "".join(each[1] for each in parts), "".join(each[2] for each in parts)


def vex(
    cve: str,
    products: Mapping[str, str],
    packages: Mapping[str, str],
    statuses: Mapping[str, Iterable[str]],
    **more: Any,
) -> dict[str, Any]:
    """A VEX document: products (id → CPE), packages (id → purl), statuses (status → ``product:package`` ids)."""
    components = sorted({each for ids in statuses.values() for each in ids})
    return {
        "document": {
            "category": more.pop("category", "csaf_vex"),
            "csaf_version": "2.0",
            "aggregate_severity": {"text": "Important"},
            "title": "a flaw",
            "tracking": {
                "id": more.pop("id", cve),
                "initial_release_date": "2024-01-01T00:00:00+00:00",
                "current_release_date": more.pop("modified", "2024-06-01T12:00:00+00:00"),
            },
        },
        "product_tree": {
            "branches": [
                {
                    "category": "vendor",
                    "name": "Vendor",
                    "branches": [
                        {
                            "category": "product_family",
                            "name": "family",
                            "branches": [
                                {
                                    "category": "product_name",
                                    "name": identifier,
                                    "product": {
                                        "name": identifier,
                                        "product_id": identifier,
                                        "product_identification_helper": {"cpe": cpe},
                                    },
                                }
                                for identifier, cpe in products.items()
                            ],
                        },
                        *(
                            {
                                "category": "product_version",
                                "name": identifier,
                                "product": {
                                    "name": identifier,
                                    "product_id": identifier,
                                    "product_identification_helper": {"purl": purl} if purl else {},
                                },
                            }
                            for identifier, purl in packages.items()
                        ),
                    ],
                }
            ],
            "relationships": [
                {
                    "category": "default_component_of",
                    "full_product_name": {"name": each, "product_id": each},
                    "product_reference": each.partition("|")[2],
                    "relates_to_product_reference": each.partition("|")[0],
                }
                for each in components
            ],
        },
        "vulnerabilities": [
            {
                "cve": cve,
                "title": "thing: it breaks",
                "release_date": "2024-01-02T03:04:05+00:00",
                "product_status": {status: list(ids) for status, ids in statuses.items()},
                "scores": [{"cvss_v3": {"vectorString": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}}],
                **more,
            }
        ],
    }


def read(driver: Driver, snapshot: Snapshot) -> tuple[dict[str, Advisory], list[Problem]]:
    """Everything a driver reads of a snapshot: records by id, and problems."""
    records: dict[str, Advisory] = {}
    problems: list[Problem] = []
    try:
        for found in driver.parse(snapshot):
            if isinstance(found, Problem):
                problems.append(found)
            else:
                assert found.id not in records
                records[found.id] = found
    finally:
        snapshot.close()
    return records, problems


def said(advisory: Advisory) -> list[tuple[str, ...]]:
    """Statements as short lines: namespace, package, statement or ranges, module, architectures."""
    return [_line(each) for each in advisory.affected]


def _line(each: Affected) -> tuple[str, ...]:
    spans = " or ".join(
        f"{span.introduced}..{span.fixed}" + (f"={span.last_affected}" if span.last_affected else "")
        for span in each.ranges
    )
    what = spans if spans and each.statement == "affected" else each.statement.value + (f" {spans}" if spans else "")
    more = [text for text in (each.module, ",".join(each.arches)) if text]
    return (each.ecosystem, each.package, what, *more)
