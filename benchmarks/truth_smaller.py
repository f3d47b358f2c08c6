"""What is in an image of the smaller ecosystems, by their own tools: Perl, LuaRocks, opam and GHC."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from truth import Truth, output_of, rows_of


def of(root: Path) -> dict[str, Truth | None]:
    """By purl type; None where there is something but the tool is not on this machine."""
    found = {name: ask(root) for name, ask in ASK.items()}
    return {name: answer for name, answer in found.items() if answer is None or answer.there}


def cpan(root: Path) -> Truth | None:
    """``ExtUtils::Installed``: every ``.packlist`` with the version of its module.

    It knows modules. Where cpanm kept a record of the distribution that one is from, that is the name.
    """
    places = sorted({each.parent for each in root.rglob("perllocal.pod")})
    if not places:
        return Truth(frozenset())
    if not shutil.which("perl"):
        return None
    script = (
        "my $i = ExtUtils::Installed->new(inc_override => [@ARGV]);"
        'print map { "$_\\t" . $i->version($_) . "\\n" } grep { $_ ne "Perl" } $i->modules'
    )
    arguments = (path for place in places for path in (place, place.parent))
    said = dict(rows_of(output_of("perl", "-MExtUtils::Installed", "-e", script, *arguments)))
    distributions = {}
    for record in root.rglob(".meta/*/install.json"):
        document = json.loads(record.read_text())
        distributions[document["name"]] = record.parent.name.rpartition("-")[0]
    return Truth(frozenset((distributions.get(name, name.replace("::", "-")), said[name]) for name in said))


def luarocks(root: Path) -> Truth | None:
    """``luarocks list`` of every tree."""
    trees = {each.parents[2] for each in root.rglob("lib/luarocks/rocks-*/manifest")}
    if not trees:
        return Truth(frozenset())
    if not shutil.which("luarocks"):
        return None
    there = set()
    for tree in trees:
        for folder in tree.glob("luarocks/rocks-*"):
            version = folder.name.removeprefix("rocks-")
            listed = output_of("luarocks", f"--lua-version={version}", "list", "--tree", tree.parent, "--porcelain")
            there |= {(row[0], row[1]) for row in rows_of(listed)}
    return Truth(frozenset(there))


def opam(root: Path) -> Truth | None:
    """``opam list --installed`` of every switch."""
    switches = [each.parent for each in root.rglob(".opam-switch")]
    if not switches:
        return Truth(frozenset())
    if not shutil.which("opam"):
        return None
    there = set()
    for switch in switches:
        columns = ("--columns=name,version", "--short", "--separator=\t", "--normalise")
        listed = output_of(
            "opam", "list", "--installed", *columns, f"--root={switch.parent}", f"--switch={switch.name}", "--safe"
        )
        there |= {(row[0].strip(), row[1].strip()) for row in rows_of(listed)}
    return Truth(frozenset(there))


def hackage(root: Path) -> Truth | None:
    """``ghc-pkg list`` of every database of packages."""
    databases = {each.parent for each in root.rglob("package.conf.d/*.conf")}
    if not databases:
        return Truth(frozenset())
    if not shutil.which("ghc-pkg"):
        return None
    there = set()
    for database in databases:
        listed = output_of(
            "ghc-pkg", "list", "--simple-output", f"--global-package-db={database}", "--no-user-package-db"
        )
        there |= {(each.rpartition("-")[0], each.rpartition("-")[2]) for each in listed.split()}
    return Truth(frozenset(there))


ASK: dict[str, Callable[[Path], Truth | None]] = {"cpan": cpan, "luarocks": luarocks, "opam": opam, "hackage": hackage}
