"""What is in an image by each ecosystem's own tool: dpkg-query, rpm, importlib.metadata, node, RubyGems, go, Maven …

``of(root)`` takes an unpacked image. Nothing of the scanner is used. Gemspecs are Ruby code and are evaluated, as gem
itself does: only for images that are trusted.

The answer is what could be loaded from where it lies. Neither asked for nor wrong: main modules of Go without a
version, and jars that say neither in ``pom.properties`` nor by Maven what they are.
"""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

Pair = tuple[str, str]
"""Name and version."""


class Truth(NamedTuple):
    """What is there, and what may be listed besides without being wrong."""

    there: frozenset[Pair]
    allowed: frozenset[Pair] = frozenset()
    paths: frozenset[str] = frozenset()
    """Go's programs of which the tool knows the path, but neither module nor version."""
    closed: bool = True
    """Whether anything else that is listed is wrong; jars without metadata are nobody's to judge."""


def unpack(archive: Path, target: Path) -> None:
    """The file system of a docker archive, layer upon layer, without devices."""
    with tarfile.open(archive) as tar:
        layers = json.load(tar.extractfile("manifest.json"))[0]["Layers"]
        for name in layers:
            layer = target.with_suffix(".layer")
            with layer.open("wb") as file:
                shutil.copyfileobj(tar.extractfile(name), file, 1 << 20)
            listed = subprocess.run(["tar", "-tf", layer], capture_output=True, text=True, check=True).stdout.split(
                "\n"
            )
            for gone in (Path(each) for each in listed if "/.wh." in f"/{each}"):
                _remove(target, gone)
            target.mkdir(exist_ok=True)
            options = ("--exclude=.wh.*", "--exclude=./dev/*", "--exclude=dev/*", "--overwrite", "--no-same-owner")
            subprocess.run(["tar", "-xf", layer, "-C", target, *options], check=True)
            layer.unlink()


def _remove(target: Path, marker: Path) -> None:
    if marker.name == ".wh..wh..opq":
        shutil.rmtree(target / marker.parent, ignore_errors=True)
        return
    gone = target / marker.parent / marker.name.removeprefix(".wh.")
    if gone.is_dir() and not gone.is_symlink():
        shutil.rmtree(gone)
    else:
        gone.unlink(missing_ok=True)


def of(root: Path) -> dict[str, Truth | None]:
    """By purl type; None where there is something but the tool is not on this machine."""
    found: dict[str, Truth | None] = {}
    for name, ask in ASK.items():
        answer = ask(root)
        if answer is None or answer.there:
            found[name] = answer
    return found


# ── distributions ─────────────────────────────────────────────────────────────────────────────────────────


def deb(root: Path) -> Truth | None:
    """``dpkg-query`` on the image's database; packages that are installed. Of ``status.d`` it gets one file."""
    admin = root / "var/lib/dpkg"
    single = [each for each in admin.glob("status.d/*") if not each.name.endswith("md5sums")]
    if not single and not (admin / "status").exists():
        return Truth(frozenset())
    if not shutil.which("dpkg-query"):
        return None
    if single and not (admin / "status").exists():
        (admin / "status").write_text("\n\n".join(each.read_text().strip() for each in single) + "\n")
    shape = "${db:Status-Status}\t${Package}\t${Version}\n"
    out = output_of("dpkg-query", f"--admindir={admin}", "-W", f"-f={shape}")
    return Truth(frozenset((name, version) for state, name, version in rows_of(out) if state == "installed"))


def rpm(root: Path) -> Truth | None:
    """``rpm -qa`` on the image's database, which this rpm may not be able to read (ndb)."""
    places = [each for each in ("usr/lib/sysimage/rpm", "var/lib/rpm") if (root / each).is_dir()]
    if not places:
        return Truth(frozenset())
    if not shutil.which("rpm"):
        return None
    shape = "%{NAME}\t%|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}\n"
    out = output_of("rpm", "--root", root, "--dbpath", f"/{places[0]}", "-qa", "--qf", shape)
    there = frozenset((name, evr.removeprefix("0:")) for name, evr in rows_of(out))
    return Truth(there) if there else None


def apk(root: Path) -> Truth | None:
    """``apk info`` on the image's database."""
    if not (root / "lib/apk/db/installed").exists() and not (root / "usr/lib/apk/db/installed").exists():
        return Truth(frozenset())
    if not shutil.which("apk"):
        return None
    lines = output_of("apk", "--root", root, "info", "-v").split()
    return Truth(frozenset((each.rsplit("-", 2)[0], "-".join(each.rsplit("-", 2)[1:])) for each in lines))


# ── languages ─────────────────────────────────────────────────────────────────────────────────────────────


def pypi(root: Path) -> Truth | None:
    """``importlib.metadata`` in every directory that holds metadata of distributions."""
    from importlib.metadata import distributions

    files = [*root.rglob("*.dist-info/METADATA"), *root.rglob("*.egg-info/PKG-INFO"), *root.rglob("*.egg-info")]
    folders = {each.parent if each.suffix == ".egg-info" else each.parent.parent for each in files}
    found = set()
    for folder in sorted(folders):
        for one in distributions(path=[str(folder)]):
            if one.metadata and one.metadata["Name"] and one.metadata["Version"]:
                found.add((_python(one.metadata["Name"]), one.metadata["Version"]))
    for each in root.rglob("*.p[ey][xz]"):
        if zipfile.is_zipfile(each):
            found |= set(_zip_application(each))
    return Truth(frozenset(found), frozenset((_python(name), version) for name, version in _documented(root, "pypi")))


def _documented(root: Path, kind: str) -> Iterator[Pair]:
    """What a package brings by its own bill of materials (PEP 770, or beside a program): no installer knows of it."""
    for each in {*root.rglob("*.dist-info/sboms/*.json"), *root.rglob("*.cdx.json")}:
        for one in _components(json.loads(each.read_text())):
            found = re.match(rf"pkg:{kind}/([^@]+)@([^?#]+)", one.get("purl", ""))
            if found and one.get("scope") not in ("excluded", "optional"):
                yield found[1], found[2]


def _zip_application(path: Path) -> Iterator[Pair]:
    """What a zip application was built of: the metadata of distributions anywhere in it."""
    from email import message_from_bytes

    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.endswith(".dist-info/METADATA"):
                said = message_from_bytes(archive.read(name))
                yield _python(said["Name"]), said["Version"]


def _components(holder: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for each in holder.get("components", ()):
        yield each
        yield from _components(each)


def _python(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


_NODE = r"""
const fs = require('fs'), path = require('path'), found = new Set(), besides = new Set();
function look(dir, set = found) {
  let text; try { text = fs.readFileSync(path.join(dir, 'package.json'), 'utf8') } catch (e) { return }
  let one; try { one = JSON.parse(text.replace(/^\uFEFF/, '')) } catch (e) { return }
  if (set === besides && one && !loads(dir, one)) return;
  if (one && one.name && one.version) set.add(one.name + '\t' + String(one.version).trim());
}
function loads(dir, one) {
  if (fs.existsSync(path.join(dir, 'node_modules'))) return true;
  try { require.resolve(dir); return true } catch (e) { return false }
}
function modules(dir) {
  for (const name of fs.readdirSync(dir)) {
    if (name.startsWith('@')) { try { modules(path.join(dir, name)) } catch (e) {} } else look(path.join(dir, name));
  }
}
function walk(dir) {
  let entries; try { entries = fs.readdirSync(dir, {withFileTypes: true}) } catch (e) { return }
  for (const one of entries) {
    const full = path.join(dir, one.name);
    if (!one.isDirectory()) continue;
    if (one.name === 'node_modules' || /\/usr\/(share|lib)(\/[^/]+)?\/nodejs$/.test(full)) modules(full);
    look(full, besides); walk(full);
  }
}
walk(process.argv[1]);
console.log([...found].map(x => 'in\t' + x).concat([...besides].map(x => 'by\t' + x)).join('\n'));
"""


_PNP = r"""
const loader = require(process.argv[1]);
for (const top of loader.getAllLocators()) {
  const found = /^(?:virtual:[^#]*#)?npm:(\d[^:#]*)$/.exec(top.reference || '');
  if (found) console.log(top.name + '\t' + found[1]);
}
"""


def npm(root: Path) -> Truth | None:
    """What ``require`` finds by name, in any ``node_modules`` and in Debian's ``/usr/share/nodejs``.

    With Yarn's Plug'n'Play it is what its loader knows. Not asked for: a project itself, and copies that it can load by
    their path (``next/dist/compiled/…``).
    """
    if not shutil.which("node"):
        return None
    rows = list(rows_of(output_of("node", "-e", _NODE, root)))
    there = {(name, version) for kind, name, version in rows if kind == "in"}
    for loader in root.rglob(".pnp.cjs"):
        there |= {
            (name, version) for name, version in rows_of(output_of("node", "-e", _PNP, loader)) if version != "0.0.0"
        }
    return Truth(frozenset(there), frozenset((name, version) for _, name, version in rows))


def gem(root: Path) -> Truth | None:
    """``Gem::Specification.load`` of every specification."""
    files = [
        each
        for each in root.rglob("*.gemspec")
        if re.search(r"/(?:specifications(?:/default)?|rubygems-integration/[^/]+/specifications)/[^/]+$", str(each))
    ]
    if not files:
        return Truth(frozenset())
    if not shutil.which("ruby"):
        return None
    script = 'ARGF.each_line{|l|s=Gem::Specification.load(l.strip);puts "#{s.name}\\t#{s.version}" if s}'
    return Truth(frozenset(rows_of(output_of("ruby", "-e", script, given="\n".join(map(str, files))))))


def composer(root: Path) -> Truth | None:
    """``composer show`` where the image was made by Composer."""
    listing = root / "srv/composer.list"
    said = json.loads(listing.read_text())["installed"] if listing.exists() else ()
    return Truth(frozenset((each["name"], each["version"].removeprefix("v")) for each in said))


def cran(root: Path) -> Truth | None:
    """``installed.packages`` of R, with the parts of R itself as it lists them."""
    places = ("usr/lib/R/library", "usr/lib/R/site-library", "usr/local/lib/R/site-library")
    folders = [root / each for each in places if (root / each).is_dir()]
    if not folders:
        return Truth(frozenset())
    if not shutil.which("Rscript"):
        return None
    script = (
        "p <- installed.packages(lib.loc = commandArgs(TRUE), noCache = TRUE);"
        "cat(paste(p[, 'Package'], p[, 'Version'], sep='\\t'), sep='\\n')"
    )
    return Truth(frozenset(rows_of(output_of("Rscript", "-e", script, *folders))))


def otp(root: Path) -> Truth | None:
    """Erlang's own reading (``file:consult``) of the descriptions of applications."""
    files = [*root.rglob("ebin/*.app")]
    if not files:
        return Truth(frozenset())
    if not shutil.which("elixir"):
        return None
    script = (
        "for line <- IO.stream(:stdio, :line),"
        " {:ok, [{:application, name, keys}]} <- [:file.consult(String.trim(line))],"
        ' do: IO.puts("#{name}\\t#{keys[:vsn]}")'
    )
    return Truth(frozenset(rows_of(output_of("elixir", "-e", script, given="\n".join(map(str, files))))))


# ── programs and archives ─────────────────────────────────────────────────────────────────────────────────


def golang(root: Path) -> Truth | None:
    """``go version -m`` on every program; modules without a version, or out of a directory, are not asked for."""
    command = shutil.which("go") or shutil.which("/usr/local/go/bin/go")
    if not command:
        return None
    there, mains, paths = set(), set(), set()
    for line in output_of(command, "version", "-m", root).splitlines():
        cells = line.split("\t")
        if not line.startswith("\t"):
            there |= {("stdlib", found[1]) for found in re.finditer(r": go(\d[\w.]*)", line)}
        elif cells[1] == "path":
            paths.add(cells[2])
        elif cells[1] in ("mod", "dep") and len(cells) > 3:
            last = (cells[2], cells[3].removeprefix("v"))
            (mains if cells[3] == "(devel)" else there).add(last)
        elif cells[1] == "=>":
            there.discard(last)
            other = (cells[2], cells[3].removeprefix("v"))
            if cells[2].startswith("."):
                mains |= {last, other}  # a directory took its place: of which version go does not know
            else:
                there.add(other)
    return Truth(frozenset(there), frozenset(mains), frozenset(paths))


def cargo(root: Path) -> Truth | None:
    """The section ``.dep-v0`` of every program, by objcopy and zlib; local crates aside."""
    if not shutil.which("objcopy"):
        return None
    there, allowed = set(), set(_documented(root, "cargo"))
    for path in _programs(root):
        if b".dep-v0" not in path.read_bytes():
            continue
        section = root.with_suffix(".section")
        only = ("--only-section=.dep-v0", "--set-section-flags", ".dep-v0=alloc")
        done = subprocess.run(["objcopy", "-O", "binary", *only, path, section], check=False, capture_output=True)
        if done.returncode or not section.exists() or not section.stat().st_size:
            continue
        for crate in json.loads(zlib.decompress(section.read_bytes()))["packages"]:
            if crate.get("kind", "runtime") == "runtime":
                (allowed if crate["source"] == "local" else there).add((crate["name"], crate["version"]))
        section.unlink()
    return Truth(frozenset(there), frozenset(allowed))


def _programs(root: Path) -> Iterator[Path]:
    for path in root.rglob("*"):
        if path.is_file() and not path.is_symlink() and path.stat().st_size > 4096:
            with path.open("rb") as file:
                if file.read(4) == b"\x7fELF":
                    yield path


def maven(root: Path) -> Truth | None:
    """``mvn dependency:list`` where the image was made by Maven, else each jar's ``pom.properties``.

    Where a jar holds several, the one by the file's name is the jar and the others were merged into it.
    """
    there, allowed = set(), set()
    for path in root.rglob("*.?ar"):
        if path.is_file() and not path.is_symlink():
            _archive(path.name, path.read_bytes(), there, allowed, 0)
    listing = root / "srv/maven.list"
    if listing.exists():
        rows = re.findall(
            r"^\s+([\w.-]+):([\w.-]+):[\w-]+:(?:[\w.-]+:)?([\w.-]+):(?:compile|runtime)",
            re.sub(r"\x1b\[[\d;]*m", "", listing.read_text()),
            re.MULTILINE,
        )
        own = {(f"{group}:{artifact}", version) for group, artifact, version in rows}
        return Truth(frozenset(own), frozenset(there | allowed))
    return Truth(frozenset(there), frozenset(allowed), closed=False)


def _archive(name: str, content: bytes, there: set[Pair], allowed: set[Pair], depth: int) -> None:
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except zipfile.BadZipFile:
        return
    found = []
    for member in archive.namelist():
        if re.fullmatch(r"META-INF/maven/[^/]+/[^/]+/pom\.properties", member):
            said = dict(
                re.findall(r"^(\w+)\s*[=:]\s*(\S+)", archive.read(member).decode(errors="replace"), re.MULTILINE)
            )
            if {"groupId", "artifactId", "version"} <= said.keys():
                found.append((f"{said['groupId']}:{said['artifactId']}", said["version"]))
        elif re.search(r"\.[jwe]ar$", member) and depth < 4:
            _archive(member.rpartition("/")[2], archive.read(member), there, allowed, depth + 1)
    stem = re.sub(r"\.[^.]+$", "", name)
    own = [each for each in found if stem.startswith(each[0].partition(":")[2])]
    if len(found) == 1:
        own = found
    there.update(own[:1] if len(own) == 1 else ())
    allowed.update(found)


def output_of(*command: object, given: str | None = None) -> str:
    """What a tool prints; where it fails and prints nothing, a word of that."""
    done = subprocess.run(
        [*map(str, command)], input=given, capture_output=True, text=True, check=False, errors="replace"
    )
    if done.returncode and not done.stdout:
        sys.stderr.write(f"{command[0]}: {done.stderr[-300:]}\n")
    return done.stdout


def rows_of(text: str) -> Iterable[tuple[str, ...]]:
    """Cells between tabs."""
    return (tuple(line.split("\t")) for line in text.splitlines() if line.strip())


ASK: dict[str, Callable[[Path], Truth | None]] = {
    "deb": deb, "rpm": rpm, "apk": apk, "pypi": pypi, "npm": npm, "gem": gem, "composer": composer,
    "cran": cran, "otp": otp,
    "golang": golang, "cargo": cargo, "maven": maven,
}  # fmt: skip
