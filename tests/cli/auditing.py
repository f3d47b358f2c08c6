"""A store in which feed, bundle and image each changed, as five scans left it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.cli.conftest import Run
from tests.cli.world import Done, archive, debian, tracker

OLD = "3.0.11-1~deb12u1"
CVE = {"CVE-2024-1001": {"status": "resolved", "fixed_version": "3.0.13-1~deb12u1", "urgency": "high"}}
NEW_CVE = {"CVE-2024-2002": {"status": "open", "urgency": "high"}}
ZLIB = {"CVE-2024-3003": {"status": "open", "urgency": "medium"}}

FIRST, SECOND, THIRD, FOURTH, FIFTH = (f"2024-06-0{day}T12:00:00Z" for day in range(1, 6))

STRICT = """
id: strict
version: "1_0"
policies:
  - id: p
    version: "1_0"
    rules:
      - id: high
        gate: vulnerabilities
        trigger: package
        action: {action}
        params: {{package_type: all, severity: high, severity_comparison: ">=", vendor_only: false}}
      - {{id: shell, gate: packages, trigger: blacklist, action: STOP, params: {{name: {name}}}}}
whitelists:
  - id: w
    version: "1_0"
    items: [{items}]
mappings:
  - {{id: m, registry: "*", repository: "*", image: {{type: tag, value: "*"}}, policy_ids: [p], whitelist_ids: [w]}}
"""


def at(moment: str) -> dict[str, str]:
    """The environment at a moment."""
    return {"SOURCE_DATE_EPOCH": str(int(datetime.fromisoformat(moment).astimezone(UTC).timestamp()))}


def bundle(path: Path, *, action: str = "STOP", name: str = "bash", items: str = "") -> Path:
    """A bundle of two rules and one allowlist."""
    path.write_text(STRICT.format(action=action, name=name, items=items))
    return path


@dataclass
class Audit:
    """The store, and what each scan printed."""

    run: Run
    path: Path
    image: Path
    printed: dict[int, str]

    def scan(self, moment: str, *args: object) -> Done:
        """Scan the image at a moment; what is printed is kept under the evaluation's number."""
        done = self.run("-q", "scan", self.image, "-o", "json", *args, env=at(moment))
        self.printed[len(self.printed) + 1] = done.out
        return done

    def sync(self, moment: str, records: Mapping[str, Mapping[str, Any]]) -> None:
        """Take over a tracker at a moment."""
        file = tracker(self.path / "t.json", records)
        done = self.run("feeds", "sync", "debian", "--allow-shrink", "--from", file, env=at(moment))
        assert done.code == 0, done.err


def audit(run: Run, path: Path) -> Audit:
    """Evaluation 1: the beginning. 2: the feed knows more. 3: another bundle. 4: another image. 5: an exception."""
    made = Audit(
        run, path, archive(path / "image.tar", debian(f"openssl={OLD}", f"libssl3={OLD}<openssl", "bash=5.2")), {}
    )
    first = bundle(path / "bundle.yaml", name="dash")
    made.sync(FIRST, {"openssl": CVE})
    assert made.scan(FIRST, "--policy", first).code == 1
    made.sync(SECOND, {"openssl": CVE | NEW_CVE, "zlib": ZLIB})
    assert made.scan(SECOND, "--policy", first).code == 1
    second = bundle(path / "bundle2.yaml", name="bash")
    assert made.scan(THIRD, "--policy", second).code == 1
    archive(made.image, debian(f"openssl={OLD}", "bash=5.2-2", "zlib=1.2"))
    assert made.scan(FOURTH, "--policy", second).code == 1
    item = '{id: known, gate: vulnerabilities, trigger_id: "CVE-2024-2002+*", expires_on: "2024-06-30T00:00:00Z"}'
    assert made.scan(FIFTH, "--policy", bundle(path / "bundle3.yaml", name="bash", items=item)).code == 1
    return made
