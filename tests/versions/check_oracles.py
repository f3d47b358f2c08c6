"""Asks the real tools what the fixture lines claim: ``python tests/versions/check_oracles.py [SCHEME…]``.

Each oracle takes pairs of versions and gives the order of each (-1, 0, 1; None where the tool refuses one of
them), or None as a whole where the tool is not on this machine. The fixtures' form is told in ``read_fixture``.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

FIXTURES = Path(__file__).parent / "fixtures"
Pairs = Sequence[tuple[str, str]]
Orders = list[int | None]
SIGNS = {"<": -1, "=": 0, ">": 1}


def read_fixture(scheme: str) -> tuple[list[tuple[str, int, str]], list[str]]:
    """Lines ``a < b`` (``<``, ``=``, ``>``) as triples, and what follows ``!``: versions the scheme refuses.

    ``#`` starts a comment line; a line ``~ a < b`` is our own leniency, of which the tool knows nothing.
    """
    pairs, refused = [], []
    for a, order, b, _ in _lines(scheme):
        pairs.append((a, order, b))
    for line in (FIXTURES / f"{scheme}.txt").read_text("utf-8").splitlines():
        if line.startswith("! "):
            refused.append(line[2:])
    return pairs, refused


def disagreements(scheme: str) -> list[str] | None:
    """The lines the real tool sees otherwise; None where it is not on this machine."""
    lines = [(a, order, b) for a, order, b, ours in _lines(scheme) if not ours]
    found = ORACLES[scheme]([(a, b) for a, _, b in lines])
    if found is None:
        return None
    return [f"{a} {o} {b}: the tool says {f}" for (a, o, b), f in zip(lines, found, strict=True) if f != o]


def _lines(scheme: str) -> list[tuple[str, int, str, bool]]:
    found = []
    for line in (FIXTURES / f"{scheme}.txt").read_text("utf-8").splitlines():
        if line and line[0] not in "#!":
            words = line.split()
            ours = words[0] == "~"
            a, sign, b = words[ours:]
            found.append((a, SIGNS[sign], b, ours))
    return found


def dpkg(pairs: Pairs) -> Orders | None:
    """``dpkg --compare-versions``, one process a question."""
    if not shutil.which("dpkg"):
        return None
    return [_dpkg(a, b) for a, b in pairs]


@cache
def _dpkg(a: str, b: str) -> int | None:
    for relation, order in (("lt", -1), ("eq", 0), ("gt", 1)):
        command = ["dpkg", "--compare-versions", a, relation, b]
        if subprocess.run(command, capture_output=True, check=False).returncode == 0:
            return order
    return None


def rpm(pairs: Pairs) -> Orders | None:
    """``rpm.vercmp`` of rpm's own Lua, which takes whole epoch:version-release strings."""
    if not shutil.which("rpm"):
        return None
    found: Orders = []
    for start in range(0, len(pairs), 100):
        calls = "\n".join(f'io.write(rpm.vercmp("{a}", "{b}"), " ")' for a, b in pairs[start : start + 100]).replace(
            "%", "%%"
        )
        out = subprocess.run(["rpm", "--eval", "%{lua: " + calls + "}"], capture_output=True, text=True, check=True)
        found += [int(line) for line in out.stdout.split()]
    return found


def apk(pairs: Pairs) -> Orders | None:
    """``apk version -t`` (the fixtures were checked with apk-tools 3.0.6; Alpine has it, few others do)."""
    if not shutil.which("apk"):
        return None
    found: Orders = []
    for a, b in pairs:
        out = subprocess.run(["apk", "version", "-t", a, b], capture_output=True, text=True, check=False)
        found.append(SIGNS.get(out.stdout.strip()))
    return found


def pep440(pairs: Pairs) -> Orders | None:
    """``packaging.version``."""
    from packaging.version import Version

    return [(Version(a) > Version(b)) - (Version(a) < Version(b)) for a, b in pairs]


def npm(pairs: Pairs) -> Orders | None:
    """node-semver in its loose mode, from the npm that is installed."""
    node, command = shutil.which("node"), shutil.which("npm")
    if not node or not command:
        return None
    home = next((p for p in Path(command).resolve().parents if (p / "node_modules/semver").is_dir()), None)
    module = str(home / "node_modules/semver") if home else "semver"
    script = (
        "const s=require(process.argv[1]);const out=[];"
        "for(const [a,b] of JSON.parse(require('fs').readFileSync(0)))"
        "{try{out.push(s.compare(a,b,true))}catch(e){out.push(null)}}"
        "console.log(JSON.stringify(out))"
    )
    return _ask([node, "-e", script, module], pairs)


def gem(pairs: Pairs) -> Orders | None:
    """``Gem::Version`` of the installed Ruby."""
    ruby = shutil.which("ruby")
    script = (
        "require 'json';puts JSON.dump(JSON.parse(STDIN.read).map{|a,b|"
        "begin;Gem::Version.new(a)<=>Gem::Version.new(b);rescue ArgumentError;nil;end})"
    )
    return _ask([ruby, "-e", script], pairs) if ruby else None


def maven(pairs: Pairs) -> Orders | None:
    """``ComparableVersion`` of the maven-artifact library in Debian's place."""
    jars = sorted(Path("/usr/share/maven/lib").glob("*.jar")) if shutil.which("java") else []
    if not any("maven-artifact" in jar.name for jar in jars):
        return None
    # Its main program takes a list and compares each version with the one before it.
    flat = [version for pair in pairs for version in pair]
    main = "org.apache.maven.artifact.versioning.ComparableVersion"
    classpath = ":".join(str(jar) for jar in jars)
    out = subprocess.run(["java", "-cp", classpath, main, *flat], capture_output=True, text=True, check=True)
    steps = [line.split()[-2] for line in out.stdout.splitlines() if line.startswith("   ")]
    return [SIGNS["=" if step == "==" else step] for step in steps[::2]]


def composer(pairs: Pairs) -> Orders | None:
    """``Composer\\Semver\\Comparator`` from Debian's php-composer-semver."""
    autoload = Path("/usr/share/php/Composer/Semver/autoload.php")
    php = shutil.which("php")
    if not php or not autoload.exists():
        return None
    script = (
        f"require '{autoload}'; $p = new Composer\\Semver\\VersionParser; $out = [];"
        "foreach (json_decode(stream_get_contents(STDIN)) as [$a, $b]) { try {"
        "$a = $p->normalize($a); $b = $p->normalize($b); $c = 'Composer\\Semver\\Comparator';"
        "$out[] = $c::lessThan($a, $b) ? -1 : ($c::greaterThan($a, $b) ? 1 : 0);"
        "} catch (UnexpectedValueException $e) { $out[] = null; } } echo json_encode($out);"
    )
    return _ask([php, "-r", script], pairs)


def golang(pairs: Pairs) -> Orders | None:
    """``go/version`` for toolchains (both written ``go1.22rc1``), else the x/mod/semver inside of the go tool."""
    command = shutil.which("go") or shutil.which("/usr/local/go/bin/go")
    if not command:
        return None
    root = subprocess.run([command, "env", "GOROOT"], capture_output=True, text=True, check=True).stdout.strip()
    library = Path(root, "src/cmd/vendor/golang.org/x/mod/semver/semver.go")
    if not library.exists() or not Path(root, "src/go/version").is_dir():
        return None
    with TemporaryDirectory() as folder:
        Path(folder, "go.mod").write_text("module order\n\ngo 1.22\n", "utf-8")
        Path(folder, "semver").mkdir()
        Path(folder, "semver/semver.go").write_text(library.read_text("utf-8"), "utf-8")
        Path(folder, "main.go").write_text(_GO, "utf-8")
        env = os.environ | {"GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local", "GOPROXY": "off", "GOWORK": "off"}
        return _ask([command, "run", "."], pairs, folder=folder, env=env)


_GO = """package main

import (
	"encoding/json"
	"go/version"
	"order/semver"
	"os"
	"strings"
)

func main() {
	var pairs [][2]string
	json.NewDecoder(os.Stdin).Decode(&pairs)
	out := make([]*int, len(pairs))
	for i, p := range pairs {
		a, b := p[0], p[1]
		if strings.HasPrefix(a, "go") && strings.HasPrefix(b, "go") {
			if version.IsValid(a) && version.IsValid(b) {
				c := version.Compare(a, b)
				out[i] = &c
			}
			continue
		}
		a, b = "v"+strings.TrimPrefix(a, "v"), "v"+strings.TrimPrefix(b, "v")
		if semver.IsValid(a) && semver.IsValid(b) {
			c := semver.Compare(a, b)
			out[i] = &c
		}
	}
	json.NewEncoder(os.Stdout).Encode(out)
}
"""


def cargo(pairs: Pairs) -> Orders | None:
    """``Version::cmp_precedence`` of the semver crate, where cargo has it at hand."""
    command = shutil.which("cargo")
    if not command:
        return None
    with TemporaryDirectory() as folder:
        Path(folder, "src").mkdir()
        Path(folder, "src/main.rs").write_text(_RUST, "utf-8")
        manifest = '[package]\nname = "order"\nversion = "0.0.0"\nedition = "2021"\n[dependencies]\nsemver = "1"\n'
        Path(folder, "Cargo.toml").write_text(manifest, "utf-8")
        lines = "".join(f"{a} {b}\n" for a, b in pairs)
        run = [command, "run", "--offline", "--quiet"]
        out = subprocess.run(run, input=lines, capture_output=True, text=True, check=False, cwd=folder)
    return [None if word == "x" else int(word) for word in out.stdout.split()] if out.returncode == 0 else None


_RUST = """use std::io::BufRead;
fn main() {
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        let (a, b) = line.split_once(' ').unwrap();
        match (semver::Version::parse(a), semver::Version::parse(b)) {
            (Ok(a), Ok(b)) => println!("{}", a.cmp_precedence(&b) as i8),
            _ => println!("x"),
        }
    }
}
"""


def hexpm(pairs: Pairs) -> Orders | None:
    """Elixir's ``Version.compare``."""
    if not shutil.which("elixir"):
        return None
    script = (
        "for line <- IO.stream(:stdio, :line) do [a, b] = String.split(line);"
        "case {Version.parse(a), Version.parse(b)} do"
        " {{:ok, a}, {:ok, b}} -> IO.puts(%{lt: -1, eq: 0, gt: 1}[Version.compare(a, b)]);"
        ' _ -> IO.puts("x") end end'
    )
    lines = "".join(f"{a} {b}\n" for a, b in pairs)
    out = subprocess.run(["elixir", "-e", script], input=lines, capture_output=True, text=True, check=True)
    return [None if word == "x" else int(word) for word in out.stdout.split()]


def cran(pairs: Pairs) -> Orders | None:
    """R's ``compareVersion`` (its ``numeric_version`` takes 1.0 for 1.0.0)."""
    if not shutil.which("Rscript"):
        return None
    script = (
        'for (line in readLines(file("stdin"))) { p <- strsplit(line, " ")[[1]];'
        "v <- tryCatch({ numeric_version(p); compareVersion(p[1], p[2]) }, error = function(e) 'x'); cat(v, '\\n') }"
    )
    lines = "".join(f"{a} {b}\n" for a, b in pairs)
    out = subprocess.run(["Rscript", "-e", script], input=lines, capture_output=True, text=True, check=True)
    return [None if word == "x" else int(word) for word in out.stdout.split()]


def pacman(pairs: Pairs) -> Orders | None:
    """``alpm_pkg_vercmp`` of libalpm, which is what vercmp calls."""
    import ctypes
    from ctypes.util import find_library

    name = find_library("alpm")
    if not name:
        return None
    order = ctypes.CDLL(name).alpm_pkg_vercmp
    order.argtypes = [ctypes.c_char_p, ctypes.c_char_p]
    return [order(a.encode(), b.encode()) for a, b in pairs]


def portage(pairs: Pairs) -> Orders | None:
    """``portage.versions.vercmp``, where the portage package is installed."""
    try:
        from portage.versions import vercmp
    except ImportError:
        return None
    found = (vercmp(a, b) for a, b in pairs)
    return [None if each is None else (each > 0) - (each < 0) for each in found]


def nuget(pairs: Pairs) -> Orders | None:
    """``NuGetVersion`` of NuGet's own client (``NUGET_EXE``, or the npm package nuget-exe of the machine), by Mono."""
    mono, compiler, client = shutil.which("mono"), shutil.which("mcs"), _nuget_client()
    if not mono or not compiler or not client:
        return None
    with TemporaryDirectory() as folder:
        source, program = Path(folder, "order.cs"), str(Path(folder, "order.exe"))
        source.write_text(_CSHARP, "utf-8")
        subprocess.run([compiler, f"-out:{program}", str(source)], capture_output=True, check=True)
        lines = "".join(f"{a}\t{b}\n" for a, b in pairs)
        out = subprocess.run([mono, program, client], input=lines, capture_output=True, text=True, check=True)
    return [None if word == "x" else int(word) for word in out.stdout.split()]


def _nuget_client() -> str:
    if named := os.environ.get("NUGET_EXE"):
        return named
    manager = shutil.which("npm")
    if not manager:
        return ""
    root = subprocess.run([manager, "root", "--global"], capture_output=True, text=True, check=True).stdout.strip()
    return str(next(Path(root, "nuget-exe").glob("nuget-*.exe"), ""))


_CSHARP = """using System;
using System.Reflection;

class Order {
    static void Main(string[] arguments) {
        var type = Assembly.LoadFrom(arguments[0]).GetType("NuGet.Versioning.NuGetVersion", true);
        var parse = type.GetMethod("TryParse", new[] { typeof(string), type.MakeByRefType() });
        for (string line; (line = Console.ReadLine()) != null;) {
            var words = line.Split('\\t');
            object[] a = { words[0], null }, b = { words[1], null };
            bool read = (bool) parse.Invoke(null, a) & (bool) parse.Invoke(null, b);
            Console.WriteLine(read ? Math.Sign(((IComparable) a[1]).CompareTo(b[1])).ToString() : "x");
        }
    }
}
"""


def _ask(command: list[str], pairs: Pairs, folder: str | None = None, env: Mapping[str, str] | None = None) -> Orders:
    out = subprocess.run(
        command, input=json.dumps(pairs), capture_output=True, text=True, check=True, cwd=folder, env=env
    )
    found: Orders = json.loads(out.stdout)
    return found


ORACLES: dict[str, Callable[[Pairs], Orders | None]] = {
    "deb": dpkg,
    "rpm": rpm,
    "apk": apk,
    "pep440": pep440,
    "npm": npm,
    "cargo": cargo,
    "hex": hexpm,
    "go": golang,
    "cran": cran,
    "pacman": pacman,
    "portage": portage,
    "gem": gem,
    "maven": maven,
    "composer": composer,
    "nuget": nuget,
}


def main(schemes: Sequence[str]) -> int:
    """Print what disagrees; 1 if anything does."""
    failed = 0
    for scheme in schemes or sorted(path.stem for path in FIXTURES.glob("*.txt")):
        found = disagreements(scheme) if scheme in ORACLES else None
        print(f"{scheme}: " + ("no tool here" if found is None else f"{len(found)} of {len(_lines(scheme))} disagree"))
        print("".join(f"  {line}\n" for line in found or ()), end="")
        failed += len(found or ())
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
