"""pip-audit and npm audit beside the program, on the same advisories: ``make quality-audit FROM=directory``.

usage: audit_tools.py DIRECTORY [--packages N] [--seed N] [--only NAME] [--list]

DIRECTORY holds upstream's files as for ``quality.py``. Both tools are the real ones and talk to a loopback server that
stands for api.osv.dev and for the registry's advisories. Each leaves a part of the judging to its server:

* pip-audit sends a name and a version and believes what comes back, but for what was withdrawn; the answers are made
  by the oracle (``oracles.judge``, with ``packaging``), so what is compared is names, spellings and what is left out;
* npm gets ranges (made here from the events of the records) and judges them itself, with its own semver.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

from oracles import Asked, Statement, judge, osv_record
from quality import number_of, program
from quality_packages import around, write, write_python
from quality_subjects import python_name

Answer = Callable[[str, Any], Any]
"""What a server says to a path and the JSON that came with it; None where there is nothing."""
LOCKED = 20
"""Packages in each lock file."""
SEMVER = re.compile(r"(\d+\.){2}\d+(-[\w.-]+)?(\+[\w.-]+)?")
"""What the registry takes; at other versions npm audit stops with an error of its own."""


class Finding(NamedTuple):
    """A package (its number, name and version) and every id of one vulnerability."""

    package: tuple[int, str, str]
    ids: frozenset[str]


class Compared(NamedTuple):
    """What both sides found."""

    packages: int
    theirs: int
    ours: int
    missed: list[Finding]
    extra: list[Finding]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=Path, help="of upstream's files")
    parser.add_argument("--packages", type=int, default=400)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--only", default="", help="lines whose name holds this text")
    parser.add_argument("--list", action="store_true", help="print what only one side has")
    options = parser.parse_args()
    columns = "".join(f"{each:>10}" for each in ("packages", "theirs", "ours", "missed", "extra"))
    print(f"{'tool':28}{columns}")
    for name, path, compare in SUBJECTS:
        if options.only not in name:
            continue
        if not (options.directory / path).exists():
            print(f"{name:28}data not here")
            continue
        found = compare(options.directory / path, options.packages, random.Random(options.seed + name))
        if found is None:
            print(f"{name:28}the tool is not here")
            continue
        counts = (found.packages, found.theirs, found.ours, len(found.missed), len(found.extra))
        print(f"{name:28}{''.join(f'{each:10,}' for each in counts)}", flush=True)
        for sign, findings in (("-", found.missed), ("+", found.extra)):
            for each in findings if options.list else ():
                print(f"  {sign} {each.package[1]} {each.package[2]}: {' '.join(sorted(each.ids))}")


def records(path: Path) -> list[dict[str, Any]]:
    """The OSV records of a zip."""
    with zipfile.ZipFile(path) as archive:
        return [json.loads(archive.read(name)) for name in archive.namelist() if name.endswith(".json")]


def compared(packages: int, theirs: Sequence[Finding], ours: Sequence[Finding]) -> Compared:
    """A finding is on both sides where one id of it is."""

    def lone(some: Sequence[Finding], others: Sequence[Finding]) -> list[Finding]:
        known: dict[tuple[int, str, str], set[str]] = {}
        for each in others:
            known.setdefault(each.package, set()).update(each.ids)
        return [each for each in some if each.ids.isdisjoint(known.get(each.package, ()))]

    return Compared(packages, len(distinct(theirs)), len(distinct(ours)), lone(theirs, ours), lone(ours, theirs))


def distinct(some: Sequence[Finding]) -> list[Finding]:
    """Findings of which none has an id of another: pip-audit lists a GHSA and the PYSEC of the same CVE as two."""
    by_package: dict[tuple[int, str, str], list[frozenset[str]]] = {}
    for each in some:
        found = by_package.setdefault(each.package, [])
        same = [ids for ids in found if ids & each.ids]
        found[:] = [ids for ids in found if ids not in same] + [each.ids.union(*same)]
    return [Finding(package, ids) for package, found in by_package.items() for ids in found]


def scanned(root: Path, scratch: Path, feed: str, path: Path) -> Iterator[tuple[dict[str, Any], frozenset[str]]]:
    """The packages that the program finds something in below a directory, with the ids of each vulnerability."""
    store = scratch / "store.db"
    program(store, "feeds", "sync", feed, "--from", str(path))
    report = json.loads(program(store, "scan", f"dir:{root}", "-o", "json"))
    whole = {package["id"]: package for package in report["packages"]}
    for match in report["matches"]:
        yield whole[match["package"]["id"]], frozenset((match["id"], match["advisory"], *match["aliases"]))


@contextmanager
def serving(answer: Answer) -> Iterator[str]:
    """The URL of a loopback server."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._say(answer(self.path, None))

        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers.get("content-length", 0)))
            if self.headers.get("content-encoding") == "gzip":
                sent = gzip.decompress(sent)
            self._say(answer(self.path, json.loads(sent)))

        def _say(self, content: Any) -> None:
            body = json.dumps({} if content is None else content).encode()
            self.send_response(404 if content is None else 200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing: the tools tell what went wrong."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


# ── pip-audit ─────────────────────────────────────────────────────────────────────────────────────────────


def pip_audit(path: Path, amount: int, chance: random.Random) -> Compared | None:
    """Installed distributions, and the same by requirements; None where the tool is not here."""
    tool = pip_audit_command()
    if not tool:
        return None
    known = records(path)
    statements = [each for record in known for each in record_statements(record)]
    made = [one for one in around(statements, "pep440", amount, chance) if usable(one.version)]
    truth = {one: found for one, found in judge(made, statements, "pep440").items() if found is not None}
    asked = list(truth)  # without the packages of which records list versions that have no order
    by_id = {record["id"]: record for record in known}
    told = {(python_name(one.package), canonical(one.version)): [by_id[each] for each in truth[one]] for one in asked}

    def answer(_: str, sent: Any) -> Any:
        return {"vulns": told[sent["package"]["name"], sent["version"]]}

    with tempfile.TemporaryDirectory() as place, serving(answer) as url:
        scratch = Path(place)
        theirs = list(pip_findings(tool, asked, scratch, url))
        write_python(scratch / "root", asked)
        ours = [
            Finding((number, asked[number].package, asked[number].version), ids)
            for package, ids in scanned(scratch / "root", scratch, "osv:PyPI", path)
            for number in [number_of(package)]
        ]
    return compared(len(asked), theirs, ours)


def record_statements(record: Mapping[str, Any]) -> Iterator[Statement]:
    """What a record says of PyPI, about itself; withdrawn or not, which is the tool's to see."""
    alive = {key: value for key, value in record.items() if key not in ("withdrawn", "summary")}
    for each in osv_record(alive):
        if each.space == "PyPI":
            yield each._replace(package=python_name(each.package), about=frozenset((record["id"],)))


def pip_audit_command() -> list[str]:
    """How to call pip-audit; empty where it is not here."""
    found = shutil.which("pip-audit") or shutil.which(str(Path(sys.executable).parent / "pip-audit"))
    return [found] if found else []


def pip_findings(tool: Sequence[str], asked: Sequence[Asked], scratch: Path, url: str) -> Iterator[Finding]:
    """What pip-audit finds; a file of requirements names a package once."""
    files: list[dict[str, int]] = []
    for number, one in enumerate(asked):
        name = python_name(one.package)
        fitting = next((each for each in files if name not in each), None)
        if fitting is None:
            files.append(fitting := {})
        fitting[name] = number
    for each in files:
        wanted = scratch / "requirements.txt"
        wanted.write_text("".join(f"{name}=={asked[number].version}\n" for name, number in each.items()))
        command = [
            *tool, "-r", str(wanted), "--no-deps", "--disable-pip", "--format", "json", "--progress-spinner", "off",
            "--vulnerability-service", "osv", "--osv-url", f"{url}/v1/query", "--cache-dir", str(scratch / "cache"),
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode not in (0, 1):
            raise SystemExit(done.stderr)
        for dependency in json.loads(done.stdout)["dependencies"]:
            number = each[python_name(dependency["name"])]
            for one in dependency["vulns"]:
                package = (number, asked[number].package, asked[number].version)
                yield Finding(package, frozenset((one["id"], *one["aliases"])))


def canonical(version: str) -> str:
    """As pip-audit sends it."""
    from packaging.version import Version

    return str(Version(version))


def usable(version: str) -> bool:
    """Whether a file of requirements can name it."""
    from packaging.version import InvalidVersion, Version

    try:
        return bool(Version(version))
    except InvalidVersion:
        return False


# ── npm audit ─────────────────────────────────────────────────────────────────────────────────────────────


def npm_audit(path: Path, amount: int, chance: random.Random) -> Compared | None:
    """Lock files of some packages each; None where npm is not here."""
    npm = shutil.which("npm")
    if not npm:
        return None
    known = records(path)
    statements = [each for record in known for each in osv_record(record) if each.space == "npm"]
    locks = locked(one for one in around(statements, "npm", amount, chance) if SEMVER.fullmatch(one.version))
    advisories = {name: list(listed) for name, listed in npm_advisories(known).items()}
    versions: dict[str, set[str]] = {}
    for lock in locks:
        for name, version in lock.items():
            versions.setdefault(name, set()).add(version)

    def answer(url: str, sent: Any) -> Any:
        if sent is not None:
            return {name: advisories[name] for name in sent if name in advisories}
        name = url.lstrip("/").replace("%2f", "/").replace("%2F", "/")
        return packument(name, versions[name]) if name in versions else None

    with tempfile.TemporaryDirectory() as place, serving(answer) as url:
        scratch = Path(place)
        theirs: list[Finding] = []
        for number, lock in enumerate(locks):
            folder = scratch / f"root/srv/q{number}"
            write_lock(folder, lock)
            theirs += npm_findings(npm, folder, number, lock, url)
        ours = [
            Finding((number_of(package), package["name"], package["version"]), ids)
            for package, ids in scanned(scratch / "root", scratch, "ghsa", path)
        ]
    return compared(sum(map(len, locks)), theirs, ours)


def locked(asked: Iterator[Asked]) -> list[dict[str, str]]:
    """Name → version for each lock file; a name once in each."""
    locks: list[dict[str, str]] = []
    for one in asked:
        fitting = next((each for each in locks if one.package not in each and len(each) < LOCKED), None)
        if fitting is None:
            locks.append(fitting := {})
        fitting[one.package] = one.version
    return locks


def write_lock(folder: Path, lock: Mapping[str, str]) -> None:
    """What npm writes beside an application."""
    root = {"name": "compare", "version": "1.0.0", "dependencies": dict(lock)}
    packages = {f"node_modules/{name}": {"version": version} for name, version in lock.items()}
    write(folder / "package.json", json.dumps(root))
    content = {"name": "compare", "version": "1.0.0", "lockfileVersion": 3, "requires": True}
    write(folder / "package-lock.json", json.dumps(content | {"packages": {"": root} | packages}))


def npm_advisories(known: Sequence[Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Package → its advisories as the registry answers with them."""
    found: dict[str, list[dict[str, Any]]] = {}
    for number, record in enumerate(known):
        ranges: dict[str, list[str]] = {}
        for statement in osv_record(dict(record)):
            if statement.space == "npm":
                ranges.setdefault(statement.package, []).extend(npm_ranges(statement))
        for name, listed in ranges.items():
            found.setdefault(name, []).append({
                "id": number, "url": f"https://github.com/advisories/{record['id']}", "title": record["id"],
                "severity": "high", "vulnerable_versions": " || ".join(listed), "cwe": [], "cvss": {},
            })  # fmt: skip
    return found


def npm_ranges(statement: Statement) -> Iterator[str]:
    """The events of a record as npm writes ranges, and its versions."""
    signs = {"fixed": "<", "last_affected": "<=", "limit": "<"}
    for events in statement.ranges:
        start = ""
        for kind, version in events:
            if kind == "introduced":
                start = f">={version}" if version != "0" else ""
                opened = True
            else:
                yield f"{start} {signs[kind]}{version}".strip()
                opened = False
        if opened:
            yield start or "*"
    yield from statement.versions


def packument(name: str, versions: set[str]) -> dict[str, Any]:
    """What the registry says of a package."""
    listed = sorted(versions)
    return {
        "name": name,
        "dist-tags": {"latest": listed[-1]},
        "versions": {each: {"name": name, "version": each, "dist": {}} for each in listed},
    }


def npm_findings(npm: str, folder: Path, number: int, lock: Mapping[str, str], url: str) -> Iterator[Finding]:
    """What ``npm audit`` says of a lock file."""
    command = [
        npm, "audit", "--json", "--package-lock-only", f"--registry={url}", f"--cache={folder.parent / 'cache'}",
        "--audit=true", "--userconfig=/dev/null", "--fetch-retries=0",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    report = json.loads(done.stdout or "{}")
    if "vulnerabilities" not in report:
        raise SystemExit(done.stdout + done.stderr)
    for name, entry in report["vulnerabilities"].items():
        for via in entry["via"]:
            if isinstance(via, dict):
                yield Finding((number, name, lock[name]), frozenset((via["url"].rpartition("/")[2],)))


SUBJECTS = (
    ("pip-audit (osv:PyPI)", "pypi-osv/all.zip", pip_audit),
    ("npm audit (ghsa)", "ghsa/npm.zip", npm_audit),
)


if __name__ == "__main__":
    main()
