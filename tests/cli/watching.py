"""What the tests of the watch loop work with: a registry, the Debian feed and webhooks on loopback, and the program."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.builders import layer, oci_dir
from tests.cli.conftest import Run
from tests.cli.world import Done, debian, tracker
from tests.feeds.server import Answer, Server, serving
from tests.registry import Registry

NOON = 1717243200  # 2024-06-01T12:00:00Z
DAY = 86400
BASH = layer(debian("bash=5.2-1", "zlib1g=1.2"))
QUIET = {"curl": {"CVE-2024-2001": {"status": "open", "urgency": "high"}}, "zlib": {}}
LOUD = QUIET | {"bash": {"CVE-2024-1": {"status": "resolved", "fixed_version": "5.2-2", "urgency": "high"}}}
LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ (tag_update|vuln_update|policy_eval) (\S+)")
Tracker = dict[str, dict[str, dict[str, str]]]


@dataclass
class Watched:
    """A registry, a web server with the Debian feed and webhooks, and the program with a store of its own."""

    run: Run
    registry: Registry
    web: Server
    directory: Path
    number: int = 0

    def push(self, name: str, *layers: bytes) -> str:
        self.number += 1
        layout = oci_dir(self.directory / f"layout-{self.number}", layers)
        return self.registry.push(f"oci:{layout}", f"{self.directory.name.lower()}/{name}")

    def feed(self, data: Tracker) -> None:
        body = tracker(self.directory / "tracker.json", data).read_bytes()
        self.web.answers["/debian.json"] = Answer(body, etag=True)

    def add(self, name: object) -> None:
        assert self.run("watch", "add", name, env=self.env).code == 0

    def round(self, *args: object, env: dict[str, str] | None = None) -> Done:
        self.registry.forget()
        return self.run("watch", "run", "--once", "--no-tls-verify", *args, env=self.env | (env or {}))

    def evaluations(self) -> int:
        return len(self.run("history", "--json").json)

    def posted(self, path: str = "/hook") -> list[dict[str, Any]]:
        return [json.loads(body) for _, asked, _, body in self.web.requests if asked == path]

    @property
    def env(self) -> dict[str, str]:
        return {"ANCHORE_FEED_URL": f"debian={self.web.url}/debian.json", "SOURCE_DATE_EPOCH": str(NOON)}


@contextmanager
def watching(run: Run, registry: Registry, directory: Path) -> Iterator[Watched]:
    """The world of one test. Its images need the Debian feed, and GitHub's where they have Python packages."""
    settings = directory / "home" / "anchore" / "config.yaml"
    settings.parent.mkdir()
    settings.write_text("feeds:\n  ghsa: {enabled: false}\n")
    with serving(hook=Answer(), other=Answer()) as web:
        world = Watched(run, registry, web, directory)
        world.feed(QUIET)
        yield world


def kinds(done: Done) -> list[str]:
    """The kind of each line of standard output, all of which must be changes."""
    found = [LINE.match(line) for line in done.out.splitlines()]
    assert all(found), done.out
    return [match[1] for match in found if match]
