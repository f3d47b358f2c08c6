"""A small world for tests of the whole program: an image in code, a feed in upstream's own form, and the command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.builders import Entry, docker_archive, layer

ROOT = Path(__file__).parents[2]

OS_RELEASE = 'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n'


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def anchore(*args: object, env: Mapping[str, str] | None = None, cwd: Path | None = None, stdin: str = "") -> Done:
    """Run the program as a user does, in a process of its own; the store and configuration must come from ``env``."""
    command = [sys.executable, "-m", "anchorecli", *map(str, args)]
    keep = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    base = {**keep, "PYTHONPATH": str(ROOT), "HOME": str(cwd or ROOT), "COLUMNS": "80"}
    done = subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        env=base | dict(env or {}),
        cwd=cwd,
        input=stdin,
        timeout=120,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Done(done.returncode, done.stdout, done.stderr)


def dpkg_status(*packages: str, source: str = "") -> str:
    """Stanzas of ``name=version`` (``name=version<source``)."""
    stanzas = []
    for package in packages:
        name, _, rest = package.partition("=")
        version, _, source = rest.partition("<")
        stanzas.append(
            f"Package: {name}\nStatus: install ok installed\nArchitecture: amd64\n"
            + (f"Source: {source}\n" if source else "")
            + f"Version: {version}\nMaintainer: nobody\nDescription: x\n"
        )
    return "\n".join(stanzas) + "\n"


def debian(*packages: str) -> dict[str, bytes | str | Entry]:
    """The files of a Debian layer with these packages."""
    return {"etc/os-release": OS_RELEASE, "var/lib/dpkg/status": dpkg_status(*packages)}


def archive(path: Path, *layers: Mapping[str, bytes | str | Entry]) -> Path:
    """A docker archive of these layers."""
    return docker_archive(path, [layer(files) for files in layers])


def osv_record(identifier: str, ecosystem: str, package: str, fixed: str = "", **more: Any) -> dict[str, Any]:
    """One OSV record: affected from the beginning until ``fixed``."""
    events = [{"introduced": "0"}, *([{"fixed": fixed}] if fixed else [])]
    affected = {
        "package": {"ecosystem": ecosystem, "name": package},
        "ranges": [{"type": "ECOSYSTEM", "events": events}],
    }
    return {
        "schema_version": "1.6.0", "id": identifier, "modified": "2024-05-01T00:00:00Z",
        "published": "2024-04-01T00:00:00Z", "affected": [affected], **more,
    }  # fmt: skip


def osv_zip(path: Path, *records: dict[str, Any]) -> Path:
    """An osv.dev export."""
    with zipfile.ZipFile(path, "w") as file:
        for record in records:
            file.writestr(f"{record['id']}.json", json.dumps(record))
    return path


def tracker(path: Path, data: Mapping[str, Mapping[str, Mapping[str, str]]]) -> Path:
    """Debian's security tracker: source → CVE → {status, fixed_version, urgency} for bookworm."""
    document = {
        source: {
            cve: {
                "scope": "local",
                "releases": {"bookworm": {"repositories": {"bookworm": "1"}, **statement}},
            }
            for cve, statement in records.items()
        }
        for source, records in data.items()
    }
    path.write_text(json.dumps(document))
    return path


OPENSSL = {
    "openssl": {
        "CVE-2024-1001": {"status": "resolved", "fixed_version": "3.0.13-1~deb12u1", "urgency": "high"},
        "CVE-2024-1002": {"status": "open", "urgency": "low"},
        "CVE-2023-9999": {"status": "resolved", "fixed_version": "3.0.1-1", "urgency": "high"},
    }
}
