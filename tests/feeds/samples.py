"""Small feeds made here, a store that keeps them in memory, and zips of any shape."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from anchorecli.feeds.base import Driver
from anchorecli.model import Advisory, FeedState, Problem, SyncResult


class MemorySink:
    """What the store promises a sync, in a dictionary."""

    def __init__(self) -> None:
        self.states: dict[str, FeedState] = {}
        self.records: dict[str, dict[str, Advisory]] = {}
        self.confirmed: list[tuple[str, str]] = []
        self.noted: dict[str, tuple[Problem, ...]] = {}

    def feed_state(self, name: str) -> FeedState | None:
        return self.states.get(name)

    def sync_feed(self, state: FeedState, advisories: Iterable[Advisory], *, past: bool = True) -> SyncResult:
        new: dict[str, Advisory] = {}
        for each in advisories:
            assert each.id not in new, each.id
            assert each.feed == state.name
            new[each.id] = each
        assert len(new) == state.records
        old = self.records.get(state.name, {})
        result = SyncResult(
            state.name,
            revision=sum(len(each) for each in self.records.values()) + 1,
            added=len(new.keys() - old.keys()),
            removed=len(old.keys() - new.keys()),
            changed=sum(old[name] != new[name] for name in old.keys() & new.keys()),
        )
        self.records[state.name] = new
        self.states[state.name] = replace(state, revision=result.revision)
        return result

    def feed_records(self, name: str) -> Iterator[Advisory]:
        yield from self.records.get(name, {}).values()

    def confirm_feed(self, name: str, updated_at: str) -> None:
        self.confirmed.append((name, updated_at))
        self.states[name] = replace(self.states[name], updated_at=updated_at)

    def note_problems(self, name: str, found: Iterable[Problem]) -> None:
        self.noted[name] = tuple(found)


def zipped(members: Mapping[str, bytes | str | dict[str, Any]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, json.dumps(content) if isinstance(content, dict) else content)
    return buffer.getvalue()


def written(path: Path, content: bytes | str | dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    data = json.dumps(content) if isinstance(content, dict) else content
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def parsed(driver: Driver, path: Path) -> tuple[dict[str, Advisory], list[Problem]]:
    """Everything a driver reads from a path: records by id, and problems."""
    snapshot = driver.open(path)
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


def affected(
    name: str = "pkg", *events: dict[str, str], ecosystem: str = "PyPI", kind: str = "ECOSYSTEM", **more: Any
) -> dict[str, Any]:
    entry: dict[str, Any] = {"package": {"ecosystem": ecosystem, "name": name}}
    if events:
        entry["ranges"] = [{"type": kind, "events": list(events)}]
    return entry | more


def osv(identifier: str = "GHSA-aaaa-bbbb-cccc", *entries: dict[str, Any], **more: Any) -> dict[str, Any]:
    listed = list(entries) or [affected("pkg", {"introduced": "0"}, {"fixed": "1.2"})]
    return {"schema_version": "1.6.0", "id": identifier, "modified": "2024-05-01T10:00:00Z", "affected": listed} | more


TRACKER: dict[str, Any] = {
    "bash": {
        "CVE-2022-3715": {
            "description": "A flaw\nwas found",
            "scope": "local",
            "releases": {
                "bookworm": {"status": "resolved", "fixed_version": "5.2~rc2-2", "urgency": "low"},
                "bullseye": {"status": "open", "urgency": "high**", "nodsa": "Minor", "nodsa_reason": "ignored"},
                "trixie": {"status": "open", "urgency": "not yet assigned", "nodsa": "x", "nodsa_reason": "postponed"},
                "sid": {"status": "resolved", "fixed_version": "5.2~rc2-2", "urgency": "low"},
            },
        },
        "TEMP-0841856-B18BAF": {"releases": {"bookworm": {"status": "open", "urgency": "unimportant"}}},
    },
    "dash": {
        "CVE-2022-3715": {"releases": {"bookworm": {"status": "resolved", "fixed_version": "0", "urgency": ""}}},
        "CVE-2020-0001": {
            "releases": {
                "buster": {"status": "undetermined", "urgency": "medium"},
                "bullseye": {"status": "open", "urgency": "end-of-life"},
            }
        },
    },
}


def secdb(release: str, repository: str, packages: dict[str, Any]) -> dict[str, Any]:
    return {
        "distroversion": release,
        "reponame": repository,
        "packages": [{"pkg": {"name": name, "secfixes": fixes}} for name, fixes in packages.items()],
    }
