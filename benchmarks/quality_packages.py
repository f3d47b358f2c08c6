"""Packages made up for ``make quality``: versions around the bounds that a feed names, written as an image has them."""

from __future__ import annotations

import io
import json
import random
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from oracles import Asked, Statement

from tests.analyzers.binary import executables
from tests.analyzers.os import rpmdb


def around(statements: Sequence[Statement], scheme: str, amount: int, chance: random.Random) -> Iterator[Asked]:
    """Packages the statements speak of, at versions around their bounds; each different."""
    seen: set[tuple[str, str]] = set()
    ordered = sorted(statements, key=lambda each: (each.package, each.record))
    for each in chance.choices(ordered, k=4 * amount) if ordered else ():
        choices = sorted(each.bounds() | each.versions)
        version = variant(chance.choice(choices), scheme, chance, each.package) if choices else "1.0-1"
        if scheme == "rpm" and "-" not in version:
            version += "-1"  # every package has a release
        modules = sorted(each.modules) if ".module" in version else []
        one = Asked(each.package, version, chance.choice([*modules, ""]) if modules else "")
        identity = one.package, version.removeprefix("0:")
        if identity not in seen and len(seen) < amount:
            seen.add(identity)
            yield one


def variant(version: str, scheme: str, chance: random.Random, package: str = "") -> str:
    """A version near another: itself, one less or more in its last number, or with one of the scheme's endings."""
    endings = () if package == "stdlib" else ENDINGS[scheme]  # releases of Go are numbers alone
    form = chance.choice(("same", "less", "more", "least", *endings))
    if package == "stdlib" or scheme == "bitnami":
        version = version.partition("-")[0]
    if form == "same":
        return version
    if form == "least":
        return chance.choice(("0.1.0", "1.0.0", "2.0.1")) + {"apk": "-r0", "deb": "-1", "rpm": "-1"}.get(scheme, "")
    if form in ("less", "more"):
        numbers = list(re.finditer(r"\d+", version))
        place = numbers[-1 - (chance.random() < 0.3 and len(numbers) > 1)]
        number = max(int(place[0]) + (1 if form == "more" else -1), 0)
        return f"{version[: place.start()]}{number}{version[place.end() :]}"
    return re.sub(form[0], form[1], version, count=1) if isinstance(form, tuple) else version + form


ENDINGS: dict[str, tuple[str | tuple[str, str], ...]] = {
    "deb": ("+b1", "+deb12u9", "~deb12u1", "~bpo12+1", ".1", "~", (r"^(\d+:)?", "1:"), (r"^(\d+:)?", "")),
    "apk": ((r"-r\d+", "-r0"), (r"-r\d+", "-r99"), (r"(-r\d+)?$", r"_rc1\1"), (r"(-r\d+)?$", r"_p1\1")),
    "rpm": (".1", "_1", "~rc1", "^git1", (r"^(\d+:)?", "1:"), (r"^(\d+:)?", "0:")),
    "pep440": ("rc1", ".post1", ".dev0", "+local.1", ".0", "a1", ".0.0", ".1"),
    "npm": ("-rc.1", "-0", "+build.5", "-alpha", "-beta.11"),
    "cargo": ("-rc.1", "-0", "+build.5", "-alpha", "-beta.11"),
    "go": ("-rc.1", "-0.20240102030405-abcdef012345", (r"$", "+incompatible"), "-beta.11"),
    "maven": ("-SNAPSHOT", "-RC1", ".Final", ".RELEASE", "-alpha-1", ".0", "-M2", ".1", "-beta3"),
    "gem": (".pre1", ".rc1", ".0", ".1", ".beta.2", ".a"),
    "composer": ("-beta1", "-RC1", "-alpha", ".0", "-p1", (r"^v?", "v")),
    "nuget": ("-beta", "-rc.1", ".0", "+meta.1", "-preview.2.10"),
    "pacman": (".1", "+r12+gabcdef0", "rc1", (r"^(\d+:)?", "1:"), (r"-\d+$", "-9"), (r"$", ".1")),
    "bitnami": (),
    "hex": ("-rc.1", "-dev", "+build.5", "-beta.11"),
    "semver": ("-rc.1", "-0", "-alpha", "-beta.11"),
    "julia": ("-rc.1", "+1", "+0"),
    "cran": (".1", "-1", ".0"),
    "plain": (".1", ".0"),
}


def write(path: Path, text: str | bytes) -> None:
    """Make a file and its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)


def write_dpkg(root: Path, asked: Sequence[Asked]) -> None:
    """Binary packages of the sources, every second one rebuilt."""
    stanza = (
        "Package: {0}-q{2}\nStatus: install ok installed\nArchitecture: amd64\nSource: {0} ({1})\nVersion: {1}{3}\n"
    )
    stanzas = (stanza.format(one.package, one.version, n, "+b1" * (n % 2)) for n, one in enumerate(asked))
    write(root / "var/lib/dpkg/status", "\n".join(stanzas))


def write_apk(root: Path, asked: Sequence[Asked]) -> None:
    """Packages of the origins."""
    entry = "P:{0}-q{2}\nV:{1}\nA:x86_64\no:{0}\nL:MIT\n"
    entries = (entry.format(one.package, one.version, n) for n, one in enumerate(asked))
    write(root / "lib/apk/db/installed", "\n".join(entries))


def write_rpm(root: Path, asked: Sequence[Asked]) -> None:
    """Packages by the very names that advisories have, so the number is in the licence."""
    headers = []
    for n, one in enumerate(asked):
        epoch, colon, evr = one.version.rpartition(":")
        extra: dict[str, Any] = {"epoch": int(epoch)} if colon else {}
        if one.module:
            extra["module"] = f"{one.module}:8090020240101000000:abcdef01"
        headers.append(
            rpmdb.header(
                one.package, evr, source=f"{one.package}-{evr}.src.rpm", vendor="", license=f"LicenseRef-q{n}", **extra
            )
        )
    write(root / "usr/lib/sysimage/rpm/rpmdb.sqlite", rpmdb.sqlite(headers))


def write_python(root: Path, asked: Sequence[Asked]) -> None:
    """Installed distributions, with their names spelled as somebody might."""
    for n, one in enumerate(asked):
        name = (one.package, one.package.upper(), one.package.replace("-", "_"), one.package.replace("-", "."))[n % 4]
        folder = root / f"srv/q{n}/lib/python3.11/site-packages/{name.replace('-', '_')}-{one.version}.dist-info"
        write(folder / "METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {one.version}\n")


def write_npm(root: Path, asked: Sequence[Asked]) -> None:
    """Installed packages."""
    for n, one in enumerate(asked):
        content = {"name": one.package, "version": one.version}
        write(root / f"srv/q{n}/node_modules/{one.package}/package.json", json.dumps(content))


def write_maven(root: Path, asked: Sequence[Asked]) -> None:
    """Jars as Maven makes them."""
    for n, one in enumerate(asked):
        group, artifact = one.package.split(":")
        properties = f"groupId={group}\nartifactId={artifact}\nversion={one.version}\n"
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as jar:
            jar.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n")
            jar.writestr(f"META-INF/maven/{group}/{artifact}/pom.properties", properties)
            jar.writestr("a/B.class", b"\xca\xfe\xba\xbe")
        write(root / f"srv/q{n}/{artifact}-{one.version}.jar", content.getvalue())


def write_go(root: Path, asked: Sequence[Asked]) -> None:
    """A program for each module, or for each release of the standard library."""
    for n, one in enumerate(asked):
        toolchain, modules = (
            "go1.99.0",
            f"path\tcompare/q\nmod\tcompare\t(devel)\t\ndep\t{one.package}\tv{one.version}\t\n",
        )
        if one.package == "stdlib":
            toolchain, modules = f"go{one.version}", "path\tcompare/q\nmod\tcompare\t(devel)\t\n"
        sections = {".go.buildinfo": executables.go_blob(toolchain, modules), ".text": b"\x90"}
        write(root / f"srv/q{n}/program", executables.elf(sections))
        (root / f"srv/q{n}/program").chmod(0o755)


def write_cargo(root: Path, asked: Sequence[Asked]) -> None:
    """A program for each crate, as cargo-auditable leaves them."""
    for n, one in enumerate(asked):
        crates = [
            {"name": "compare", "version": "0.1.0", "source": "local", "root": True, "dependencies": [1]},
            {"name": one.package, "version": one.version, "source": "crates.io"},
        ]
        section = zlib.compress(json.dumps({"packages": crates}).encode())
        write(root / f"srv/q{n}/program", executables.elf({".dep-v0": section}))
        (root / f"srv/q{n}/program").chmod(0o755)


def write_gem(root: Path, asked: Sequence[Asked]) -> None:
    """Specifications as RubyGems writes them."""
    text = 'Gem::Specification.new do |s|\n  s.name = "{}".freeze\n  s.version = "{}"\nend\n'
    for n, one in enumerate(asked):
        file = root / f"srv/q{n}/specifications/{one.package}-{one.version}.gemspec"
        write(file, text.format(one.package, one.version))


def write_composer(root: Path, asked: Sequence[Asked]) -> None:
    """Composer's list of what it installed."""
    for n, one in enumerate(asked):
        content = {"packages": [{"name": one.package, "version": one.version, "type": "library"}]}
        write(root / f"srv/q{n}/vendor/composer/installed.json", json.dumps(content))


def write_nuget(root: Path, asked: Sequence[Asked]) -> None:
    """Applications of one package each, with the package's file."""
    for n, one in enumerate(asked):
        key = f"{(one.package, one.package.title())[n % 2]}/{one.version}"
        content = {
            "runtimeTarget": {"name": ".NETCoreApp,Version=v8.0"},
            "targets": {".NETCoreApp,Version=v8.0": {key: {"runtime": {"lib/net6.0/A.dll": {}}}}},
            "libraries": {key: {"type": "package", "sha512": ""}},
        }
        write(root / f"srv/q{n}/app.deps.json", json.dumps(content))
        write(root / f"srv/q{n}/A.dll", "")


def write_pacman(root: Path, asked: Sequence[Asked]) -> None:
    """Packages split off the ones that the tracker names."""
    for n, one in enumerate(asked):
        text = f"%NAME%\n{one.package}-q{n}\n\n%VERSION%\n{one.version}\n\n%BASE%\n{one.package}\n\n%ARCH%\nx86_64\n"
        write(root / f"var/lib/pacman/local/{one.package}-q{n}-{one.version}/desc", text)


def write_sbom(kind: str) -> Callable[[Path, Sequence[Asked]], None]:
    """A document that names packages of a type, for those whose traces in an image are lock files alone."""

    def written(root: Path, asked: Sequence[Asked]) -> None:
        components = [
            {
                "type": "library",
                "bom-ref": f"q{n}",
                "name": one.package,
                "version": one.version,
                "purl": f"pkg:{kind}/{one.package}@{quote(one.version)}",
                "publisher": f"-q{n}",
            }
            for n, one in enumerate(asked)
        ]
        content = {"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "components": components}
        write(root / SBOM, json.dumps(content))

    return written


SBOM = "bom.cdx.json"
"""Where it lies; what has one is scanned as that document."""


def write_bitnami(root: Path, asked: Sequence[Asked]) -> None:
    """Bitnami's documents of its components."""
    for n, one in enumerate(asked):
        purl = f"pkg:bitnami/{one.package}@{one.version}-3?arch=amd64&distro=debian-12"
        package = {
            "SPDXID": "SPDXRef-0",
            "name": one.package,
            "externalRefs": [{"referenceType": "purl", "referenceLocator": purl}],
        }
        content = {"documentDescribes": ["SPDXRef-0"], "packages": [package]}
        write(root / f"opt/bitnami/q{n}/.spdx-{one.package}.spdx", json.dumps(content))
