"""The packages that a Go program's build information amounts to: main module, dependencies, standard library.

Of a version that the toolchain did not know the best other witness is taken, and named in ``metadata["version-from"]``:
``ldflags`` (``-X …version=1.2.3``), ``content`` (the program's own strings), ``vcs`` (time and revision of the commit).
The last says nothing of the order of releases, nor does the version of a module replaced by a directory: such a package
has ``metadata["inexact"]``, and is not compared with ranges as if it were older than all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from anchorecli.analyzers.binary.cpe import cpe
from anchorecli.analyzers.purl import purl
from anchorecli.model import Json, Package
from anchorecli.values import dataclass, field

UNKNOWN = "(devel)"
_VERSION = re.compile(r"v?\d+\.\d+(?:[-+~._][0-9A-Za-z.+~_-]+)?")
_VARIABLES = (
    *("version", "gitversion", "appversion", "buildversion", "releaseversion", "fullversion", "semver"),
    *("programversion", "cliversion", "currentversion", "gittag", "tag", "ver", "gitdescribe"),
)
"""What the variable is called in which builds leave their version, lower case, the most telling first."""
_TOOLCHAIN = re.compile(r"go(\d+(?:\.\d+)*(?:(?:rc|beta)\d+)?)(?:[ +-]|$)")
_DEVELOPMENT = re.compile(r"devel (?:go(\d+(?:\.\d+)*)-)?\+?(\w+)")
_NO_TAG = "v0.0.0-"
_SETTINGS = ("GOOS", "GOARCH", "CGO_ENABLED", "vcs", "vcs.revision", "vcs.time", "vcs.modified", "-tags", "-buildmode")
_MAJOR = re.compile(r"/v(\d+)$")
_HOSTS = ("github.com", "gitlab.com", "bitbucket.org", "codeberg.org")

GO_MODULES = {
    "github.com/hashicorp/consul": ("hashicorp:consul",),
    "github.com/hashicorp/vault": ("hashicorp:vault",),
    "github.com/hashicorp/nomad": ("hashicorp:nomad",),
    "github.com/hashicorp/terraform": ("hashicorp:terraform",),
    "helm.sh/helm": ("helm:helm",),
    "github.com/traefik/traefik": ("traefik:traefik",),
    "github.com/containous/traefik": ("traefik:traefik",),
    "github.com/grafana/grafana": ("grafana:grafana",),
    "github.com/grafana/loki": ("grafana:loki",),
    "github.com/prometheus/prometheus": ("prometheus:prometheus",),
    "github.com/prometheus/alertmanager": ("prometheus:alertmanager",),
    "github.com/caddyserver/caddy": ("caddyserver:caddy",),
    "github.com/minio/minio": ("minio:minio",),
    "go.etcd.io/etcd": ("etcd:etcd",),
    "go.etcd.io/etcd/server": ("etcd:etcd",),
    "k8s.io/kubernetes": ("kubernetes:kubernetes",),
    "k8s.io/ingress-nginx": ("kubernetes:ingress-nginx",),
    "istio.io/istio": ("istio:istio",),
    "github.com/docker/cli": ("docker:command_line_interface",),
    "github.com/docker/docker": ("mobyproject:moby", "docker:docker"),
    "github.com/moby/moby": ("mobyproject:moby",),
    "github.com/containerd/containerd": ("linuxfoundation:containerd",),
    "github.com/opencontainers/runc": ("linuxfoundation:runc",),
    "github.com/coredns/coredns": ("coredns.io:coredns",),
    "github.com/influxdata/influxdb": ("influxdata:influxdb",),
    "github.com/influxdata/telegraf": ("influxdata:telegraf",),
    "github.com/elastic/beats": ("elastic:beats",),
    "code.gitea.io/gitea": ("gitea:gitea",),
    "github.com/rclone/rclone": ("rclone:rclone",),
    "github.com/argoproj/argo-cd": ("argoproj:argo_cd",),
    "github.com/cilium/cilium": ("cilium:cilium",),
    "github.com/mattermost/mattermost-server": ("mattermost:mattermost_server",),
    "github.com/restic/restic": ("restic:restic",),
    "github.com/syncthing/syncthing": ("syncthing:syncthing",),
    "github.com/goharbor/harbor": ("linuxfoundation:harbor",),
    "github.com/cli/cli": ("github:cli",),
}
"""``vendor:product`` of main modules, by module path without its major version."""


@dataclass(frozen=True, slots=True)
class Module:
    """One module of a program, before it is known where the program stands."""

    name: str
    version: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    cpes: tuple[str, ...] = ()


def modules(fact: Mapping[str, Json], content_version: str = "") -> Iterator[Module]:
    """Every module of a program once; ``content_version`` is what its own strings say of it."""
    seen = set()
    for module in _all(fact, content_version):
        key = module.name, module.version
        if key not in seen:
            seen.add(key)
            yield module


def package(module: Module, **where: object) -> Package:
    """The package of a module; ``where`` are the fields that the file gives."""
    return Package(
        name=module.name,
        version=module.version,
        type="golang",
        scheme="go",
        purl=purl("golang", module.name, "" if module.version == UNKNOWN else module.version),
        source=module.name,
        source_version=module.version,
        cpes=module.cpes,
        metadata=module.metadata,
        **where,  # type: ignore[arg-type]
    )


def main_path(fact: Mapping[str, Json]) -> str:
    """The main module's path, empty where it was built from loose files or is Go's own.

    A program built without modules says only which package it was: its module is guessed by the rules of code hosts.
    """
    main = fact.get("main")
    path = str(main[0] if main else fact.get("path", ""))
    if "." not in path.partition("/")[0]:
        # command-line-arguments, cmd/go: nothing that has a place in the world.
        return path if main and path != "command-line-arguments" else ""
    return path if main else _module_of(path)


def lacks_version(fact: Mapping[str, Json]) -> bool:
    """Whether it is a known program, of which neither the toolchain nor the linker's flags tell the version."""
    path = main_path(fact)
    stamped = str(fact["main"][1]) if fact.get("main") else ""
    unknown = stamped in ("", UNKNOWN) or stamped.startswith(_NO_TAG)
    return unknown and bool(known_program(path)) and not version_in_flags(fact.get("settings", {}), path)


def _module_of(package_path: str) -> str:
    for known in GO_MODULES:
        if f"{package_path}/".startswith(f"{known}/"):
            rest = package_path[len(known) + 1 :].partition("/")[0]
            return f"{known}/{rest}" if re.fullmatch(r"v\d+", rest) else known
    parts = package_path.split("/")
    if parts[0] not in _HOSTS:
        return package_path.partition("/cmd/")[0]
    length = 4 if len(parts) > 3 and re.fullmatch(r"v\d+", parts[3]) else 3
    return "/".join(parts[:length])


def known_program(path: str) -> tuple[str, ...]:
    """``vendor:product`` of a main module that is a program known by CPE."""
    return GO_MODULES.get(_MAJOR.sub("", path), ())


def _all(fact: Mapping[str, Json], content_version: str) -> Iterator[Module]:
    path = main_path(fact)
    if path and ((main := _main(path, fact, content_version)).version != UNKNOWN or fact.get("main")):
        yield main
    for row in fact.get("deps", ()):
        if row[0]:
            yield _dependency(row)
    if library := _library(fact):
        yield library


def _main(path: str, fact: Mapping[str, Json], content_version: str) -> Module:
    settings: Mapping[str, str] = fact.get("settings", {})
    _, stamped, checksum = fact.get("main", ("", "", ""))[:3]
    metadata = {"kind": "main"}
    if checksum:
        metadata["h1"] = checksum
    metadata |= {key: settings[key] for key in _SETTINGS if settings.get(key)}
    version = "" if stamped in ("", UNKNOWN) else stamped
    if not version or version.startswith(_NO_TAG):
        content_version = content_version or _sole_version(path, fact)
        for witness, found in (("ldflags", version_in_flags(settings, path)), ("content", content_version)):
            if found:
                version = found if found.startswith("v") else f"v{found}"
                metadata["version-from"] = witness
                break
    if not version and (made := _pseudo(settings)):
        version = made
        metadata["version-from"] = "vcs"
    if not version or version.startswith(_NO_TAG):
        metadata["inexact"] = "built from a commit: its place among the releases is not known"
    cpes = () if "inexact" in metadata else tuple(cpe(each, version.removeprefix("v")) for each in known_program(path))
    return Module(path, version or UNKNOWN, metadata, cpes)


def _dependency(row: list[Json]) -> Module:
    path, version, checksum = row[:3]
    metadata = {"h1": checksum} if checksum else {}
    if len(row) > 3:
        other, other_version, checksum = row[3]
        if not other or other.startswith(("./", "../", "/")) or other[1:3] in (":\\", ":/"):
            metadata = {"replaced-by": other, "inexact": "replaced by a directory: what that holds is not known"}
        else:
            metadata = {"replaces": f"{path}@{version}"}
            if checksum:
                metadata["h1"] = checksum
            path, version = other, other_version
    if version in ("", UNKNOWN):
        metadata["inexact"] = "built from a directory: its version is not known"
    return Module(path, version or UNKNOWN, metadata)


def _library(fact: Mapping[str, Json]) -> Module | None:
    """The standard library, which is of the toolchain's version: ``go1.22.3``, ``go1.22.3 X:boringcrypto``."""
    text = str(fact["go"]).strip()
    metadata = {"kind": "stdlib", "go": text}
    if found := _TOOLCHAIN.match(text):
        version = found[1]
        return Module("stdlib", version, metadata, (cpe("golang:go", version),))
    if found := _DEVELOPMENT.match(text):
        metadata["inexact"] = "a toolchain between releases"
        return Module("stdlib", f"{found[1]}-devel-{found[2]}" if found[1] else f"devel-{found[2]}", metadata)
    return None


def version_in_flags(settings: Mapping[str, str], path: str) -> str:
    """The version that a build passed to the linker: ``-ldflags="-X main.version=1.2.3"``; empty where it did not."""
    best: tuple[int, int] | None = None
    version = ""
    for name, value in _assignments(settings.get("-ldflags", "")):
        package_path, _, variable = name.rpartition(".")
        if variable.lower() not in _VARIABLES or not _VERSION.fullmatch(value):
            continue
        own = package_path in ("main", path) or package_path.startswith(f"{path}/")
        nearness = 0 if own else 1 if package_path.rpartition("/")[2] in ("version", "buildinfo") else 2
        rank = nearness, _VARIABLES.index(variable.lower())
        if best is None or rank < best:
            best, version = rank, value
    return version


def _sole_version(path: str, fact: Mapping[str, Json]) -> str:
    """The version among the program's strings, where there is but one that may be the module's."""
    major = _MAJOR.search(path)
    texts = [text for text in fact.get("strings", ()) if not major or text.lstrip("v").partition(".")[0] == major[1]]
    if any("sqlite" in row[0] for row in fact.get("deps", ())):
        texts = [text for text in texts if not text.startswith("3.")]
    # A distribution's build has two: 2.42.0+ds and 2.42.0+ds-5+deb12u1.
    roots = [text for text in texts if not any(text != other and text.startswith(other) for other in texts)]
    return roots[0] if len(roots) == 1 else ""


def _assignments(flags: str) -> Iterator[tuple[str, str]]:
    if "-X" not in flags:
        return
    from shlex import split

    try:
        words = split(flags)
    except ValueError:
        words = flags.split()
    words = [word.strip() for word in words]
    for place, word in enumerate(words):
        if word in ("-X", "--X"):
            name, _, value = (words[place + 1] if place + 1 < len(words) else "").partition("=")
        elif word.startswith(("-X=", "--X=", "-X ")):
            name, _, value = word.lstrip("-")[2:].strip().partition("=")
        else:
            continue
        yield name.strip("'\""), value.strip("'\"")


def _pseudo(settings: Mapping[str, str]) -> str:
    """``v0.0.0-20240131120000-abcdef123456`` of the commit it was built from."""
    revision, time = settings.get("vcs.revision", ""), re.sub(r"\D", "", settings.get("vcs.time", ""))[:14]
    return f"{_NO_TAG}{time}-{revision[:12]}" if len(revision) >= 12 and len(time) == 14 else ""
