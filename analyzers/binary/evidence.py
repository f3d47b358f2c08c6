"""From what was read of executable files to packages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from anchorecli.analyzers.base import Fact, View
from anchorecli.analyzers.binary.classifiers import Rule, all_rules
from anchorecli.analyzers.binary.cpe import cpe
from anchorecli.analyzers.binary.gomodules import modules, package
from anchorecli.analyzers.language.core_metadata import printable
from anchorecli.analyzers.language.rows import package as artifact
from anchorecli.analyzers.language.rows import row as as_row
from anchorecli.analyzers.language.since import since
from anchorecli.analyzers.purl import purl
from anchorecli.model import Json, Package
from anchorecli.values import dataclass, field

ANALYZER = "binary"
_GO = Rule("go", "go", (), ("golang:go",))
_INSTALLED_IN = frozenset({"bin", "sbin", "lib", "lib64", "lib32", "libexec"})
_CRATES_IO = ("", "crates.io", "registry")


def packages(view: View, fact: Fact) -> Iterator[Package]:
    """The Go modules, Rust crates and Maven artifacts of one file."""
    value: Mapping[str, Json] = fact.value
    for group, name, version, licence in value.get("artifacts", ()):
        licences = [printable(licence)] if licence else []
        each = as_row("maven", printable(f"{group}:{name}"), printable(version), licenses=licences)
        yield artifact(view, fact, each, ANALYZER, {"evidence": "native-image"})
    if "go" not in value and "crates" not in value:
        return
    where = {"locations": (view.location(fact),), "layer": since(view, fact), "analyzer": ANALYZER}
    if "go" in value:
        versions = {version for _, version in value.get("programs", ())}
        listed = list(modules(value["go"], versions.pop() if len(versions) == 1 else ""))
        linked = tuple(f"{module.name}@{module.version}" for module in listed)
        for module in listed:
            # Go's list is flat: what is in it the program needs.
            yield package(module, **where, depends=linked if module.metadata.get("kind") == "main" else ())
    for crate in {tuple(crate): crate for crate in value.get("crates", ())}.values():
        yield _crate(crate, where)


def _crate(row: list[str], where: Mapping[str, object]) -> Package:
    name, version, source, root, *needs = row
    metadata = {"kind": "main"} if root else {}
    if source not in _CRATES_IO:
        metadata["source"] = source
    return Package(
        name=name,
        version=version,
        type="cargo",
        scheme="cargo",
        purl=purl("cargo", name, version),
        source=name,
        source_version=version,
        metadata=metadata,
        depends=tuple(needs),
        **where,  # type: ignore[arg-type]
    )


@dataclass(slots=True)
class _Installation:
    """One program in one place: executable and library of the same version below one directory."""

    rule: Rule
    version: str
    facts: list[Fact] = field(default_factory=list)
    cpes: dict[str, None] = field(default_factory=dict)


def program_packages(view: View, hits: Iterable[tuple[Fact, str, str]]) -> Iterator[Package]:
    """A package for each program that strings told of; what several files of an installation say is said once."""
    found: dict[tuple[str, str, str], _Installation] = {}
    for fact, name, version in hits:
        rule = _GO if name == "go" else all_rules().get(name)
        if rule is None:
            continue
        version = version.removeprefix("go") if rule is _GO else version
        key = rule.package, version, prefix(fact.path)
        entry = found.setdefault(key, _Installation(rule, version))
        entry.facts.append(fact)
        entry.cpes.update((cpe(each, *_parts(rule, version)), None) for each in rule.cpes)
    oracles = {place for name, _, place in found if name == "jre"}
    for (name, _, place), entry in found.items():
        # A newer JDK of Oracle's has a release file like any other; its launcher tells whose it is.
        if name == "openjdk" and place in oracles and all(fact.path.endswith("/release") for fact in entry.facts):
            continue
        yield _program(view, entry)


def prefix(path: str) -> str:
    """The directory a program was installed below: what stands before the last ``bin``, ``lib`` and the like."""
    parts = path.split("/")
    if parts[-1] != "release":
        for place in range(len(parts) - 2, -1, -1):
            if parts[place] in _INSTALLED_IN:
                return "/".join(parts[:place])
    return "/".join(parts[:-1])


def _program(view: View, entry: _Installation) -> Package:
    rule = entry.rule
    return Package(
        name=f"{rule.namespace}/{rule.package}" if rule.namespace else rule.package,
        version=entry.version,
        type=rule.kind,
        scheme="fuzzy",
        purl=purl(rule.kind, rule.package, entry.version, namespace=rule.namespace),
        source=rule.package,
        source_version=entry.version,
        cpes=tuple(entry.cpes),
        locations=tuple(view.location(fact) for fact in entry.facts),
        layer=since(view, min(entry.facts, key=lambda fact: fact.layer)),
        analyzer=ANALYZER,
        metadata={"kind": "program"},
    )


def _parts(rule: Rule, version: str) -> tuple[str, str]:
    """Version and update as NVD writes them: OpenSSH 9.2p1 is 9.2 with the update p1, Java 8u302 is 1.8.0 update302."""
    if rule.package in ("openssh", "sudo") and "p" in version:
        number, _, update = version.partition("p")
        return number, f"p{update}"
    if rule.package == "ruby" and "p" in version and "pre" not in version:
        number, _, update = version.partition("p")
        return number, f"p{update}"
    if rule.package in ("openjdk", "jre"):
        number, mark, update = version.partition("+")[0].partition("-")[0].partition("_")
        return number, f"update{update}" if mark else "*"
    return version, "*"
