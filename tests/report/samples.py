"""Reports made in code, with every case that a format has to show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

from anchorecli.model import (
    Action,
    AllowOutcome,
    Analysis,
    Cvss,
    DiffId,
    Digest,
    Distro,
    FeedState,
    Finding,
    FixState,
    HistoryEntry,
    Image,
    ImageConfig,
    ImagePath,
    ImageRef,
    Layer,
    Location,
    Match,
    MatchVerdict,
    Package,
    Platform,
    Problem,
    Report,
    RuleOutcome,
    Severity,
    Status,
    Verdict,
)

NOW = "2026-11-21T10:30:00Z"
HOSTILE = "x\x1b[31m\u202e::error::pwned\n::warning::two\r##vso[task.complete]\u200b\x00##[group]y"


def hexes(text: str) -> str:
    return "sha256:" + sha256(text.encode()).hexdigest()


def diff_id(index: int) -> DiffId:
    return DiffId(hexes(f"layer {index}"))


INSTRUCTIONS = (
    "/bin/sh -c #(nop) ADD file:1a2b3c in / ",
    "RUN /bin/sh -c apt-get update && apt-get install -y --no-install-recommends nginx=1.22.1-9 # buildkit",
    "COPY app /srv/app # buildkit",
    "|1 VERSION=3 /bin/sh -c pip install --no-cache-dir -r requirements.txt",
)


def image(instructions: Sequence[str] = INSTRUCTIONS, name: str = "docker.io/shop/api", **changes: Any) -> Image:
    registry, _, repository = name.partition("/")
    value = Image(
        ref=ImageRef("registry", f"{repository}:1.4.2", registry=registry, repository=repository, tag="1.4.2"),
        image_id=Digest(hexes("config")),
        digest=Digest(hexes("manifest")),
        config=ImageConfig(
            platform=Platform("linux", "amd64"),
            created="2026-09-30T08:00:00Z",
            user="app",
            env=("PATH=/usr/bin", "TOKEN=x"),
            cmd=("serve",),
            entrypoint=("/srv/app/start",),
            exposed_ports=("80/tcp",),
            labels={"team": "shop", "commit": "abc"},
            healthcheck=("CMD", "true"),
            history=tuple(HistoryEntry(each) for each in instructions),
            raw="{}",
        ),
        layers=tuple(
            Layer(diff_id(index), Digest(hexes(f"blob {index}")), 1000 + index, "application/x-tar", each, NOW)
            for index, each in enumerate(instructions)
        ),
        index_digest=Digest(hexes("index")),
        names=("docker.io/shop/api:1.4.2",),
        annotations={"org.opencontainers.image.source": "https://example.org/shop"},
    )
    return replace(value, **changes)


def deb(name: str, version: str, *, source: str = "", source_version: str = "", layer: int = 0, **more: Any) -> Package:
    arch = more.get("arch", "amd64")
    fields: dict[str, Any] = {
        "purl": f"pkg:deb/debian/{name}@{version.replace(':', '%3A')}?arch={arch}&distro=debian-12",
        "arch": arch,
        "source": source or name,
        "source_version": source_version or version,
        "licenses": ("GPL-2.0-or-later",),
        "locations": (
            Location(ImagePath("var/lib/dpkg/status"), diff_id(layer)),
            Location(ImagePath(f"var/lib/dpkg/info/{name}.list"), diff_id(layer)),
        ),
        "layer": diff_id(layer),
        "analyzer": "dpkg",
        "size": 4096,
        "metadata": {"section": "libs"},
    }
    return Package(name, version, "deb", "deb", **(fields | more))


def python(name: str, version: str, *, layer: int = 3, **more: Any) -> Package:
    path = f"usr/local/lib/python3.11/site-packages/{name}-{version}.dist-info/METADATA"
    fields: dict[str, Any] = {
        "purl": f"pkg:pypi/{name}@{version}",
        "licenses": ("Apache-2.0 OR MIT",),
        "locations": (Location(ImagePath(path), diff_id(layer)),),
        "layer": diff_id(layer),
        "analyzer": "python",
    }
    return Package(name, version, "pypi", "pep440", **(fields | more))


def match(identifier: str, package: Package, severity: Severity, fixed_in: Sequence[str] = (), **more: Any) -> Match:
    fields: dict[str, Any] = {
        "advisory": identifier,
        "feed": "debian",
        "verdict": MatchVerdict.AFFECTED,
        "fix_state": FixState.FIXED if fixed_in else FixState.NOT_FIXED,
        "ecosystem": "debian:12" if package.type == "deb" else package.type,
        "summary": f"What is wrong in {package.source or package.name}, told at a length that no narrow table can show",
        "url": f"https://security-tracker.debian.org/tracker/{identifier}",
        "why": f"{package.version} is below {fixed_in[0]}" if fixed_in else "every version is affected",
    }
    return Match(id=identifier, package=package, severity=severity, fixed_in=tuple(fixed_in), **(fields | more))


DEBIAN = FeedState(
    "debian",
    revision=7,
    records=41_233,
    updated_at="2026-11-21T08:00:00Z",
    source_date="2026-11-21T06:14:00Z",
    url="https://security-tracker.debian.org/tracker/data/json",
    digest=hexes("debian feed"),
    etag='"abc"',
    ecosystems=("debian:12", "debian:11"),
)
OSV = FeedState("osv", 6, 18_000, "2026-11-01T00:00:00+00:00", "2026-10-31", ecosystems=("pypi", "npm"), problems=2)
STARTER = FeedState("starter", 1, 1_204, "", "2026-10-01", starter=True, ecosystems=("debian:12", "pypi"))

LIBSSL = deb("libssl3", "3.0.11-1~deb12u2", source="openssl")
OPENSSL = deb("openssl", "3.0.11-1~deb12u2", source="openssl")
ZLIB = deb("zlib1g", "1:1.2.13.dfsg-1", source="zlib", source_version="1:1.2.13.dfsg-1")
NGINX = deb("nginx", "1.22.1-9", layer=1, depends=("libssl3 (>= 3.0.0)", "gone | zlib1g (>= 1:1.1.4)"))
LINUX = deb("linux-libc-dev", "6.1.55-1", source="linux")
ODD = deb("odd", "not a version!", layer=1)
REQUESTS = python("requests", "2.28.0")
JINJA = python("Jinja2", "3.1.2", owner="pkg:deb/debian/python3-jinja2@3.1.2-1?arch=all&distro=debian-12")
PYTHON_JINJA = deb("python3-jinja2", "3.1.2-1", source="jinja2", layer=1, arch="all")

PACKAGES = (LIBSSL, OPENSSL, ZLIB, NGINX, LINUX, ODD, REQUESTS, JINJA, PYTHON_JINJA)


def matches() -> tuple[Match, ...]:
    both = [match("CVE-2024-5535", package, Severity.CRITICAL, ["3.0.15-1~deb12u1"]) for package in (LIBSSL, OPENSSL)]
    return (
        *both,
        match("CVE-2023-5363", LIBSSL, Severity.HIGH, ["3.0.13-1~deb12u1"], aliases=("GHSA-xw78-pcr6-wrg8",)),
        match("CVE-2023-5678", LIBSSL, Severity.LOW),
        match("CVE-2023-45853", ZLIB, Severity.CRITICAL, fix_state=FixState.WONT_FIX),
        match("CVE-2023-44487", NGINX, Severity.HIGH, ["1.22.1-9+deb12u1"]),
        match("CVE-2013-0337", NGINX, Severity.NEGLIGIBLE),
        match("CVE-2026-1111", NGINX, Severity.UNKNOWN, fix_state=FixState.UNKNOWN),
        *(match(f"CVE-2023-{6000 + n}", LINUX, Severity(2 + n % 3), ["6.1.66-1"][: n % 2]) for n in range(30)),
        match("CVE-2026-2222", ODD, Severity.HIGH, verdict=MatchVerdict.UNKNOWN, why="version cannot be read"),
        match(
            "CVE-2024-35195",
            REQUESTS,
            Severity.MEDIUM,
            ["2.32.0"],
            feed="osv",
            advisory="GHSA-9wx4-h78v-vm56",
            aliases=("PYSEC-2024-1", "GHSA-9wx4-h78v-vm56"),
            cvss=(Cvss("3.1", "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:H/I:H/A:N", 5.6, "nvd"),),
            published="2024-05-20T00:00:00Z",
            modified="2024-06-10T00:00:00Z",
        ),
        match("CVE-2023-32681", REQUESTS, Severity.UNKNOWN, ["2.31.0", "3.0.0"], feed="starter"),
        match("CVE-2024-22195", JINJA, Severity.MEDIUM, ["3.1.3"], feed="osv", suppressed="owned by python3-jinja2"),
    )


def finding(action: Action, trigger_id: str, message: str, **more: Any) -> Finding:
    fields: dict[str, Any] = {"gate": "vulnerabilities", "trigger": "package", "rule_id": "stop-critical"}
    return Finding(trigger_id=trigger_id, action=action, message=message, **(fields | {"policy_id": "default"} | more))


def findings() -> tuple[Finding, ...]:
    return (
        finding(Action.GO, "DOCKERFILE", "a label is there", gate="dockerfile", trigger="instruction", rule_id="r9"),
        finding(
            Action.WARN,
            "HEALTHCHECK",
            "the image has no HEALTHCHECK: an orchestrator cannot tell whether what runs in it still answers",
            gate="dockerfile",
            trigger="instruction",
            rule_id="warn-healthcheck",
        ),
        *(
            finding(Action.STOP, f"{cve}+{name}", f"{cve} in {name}", match_id=cve)
            for cve, name in (("CVE-2024-5535", "libssl3"), ("CVE-2024-5535", "openssl"), ("CVE-2023-45853", "zlib1g"))
        ),
        finding(
            Action.GO,
            "CVE-2023-44487+nginx",
            "let through",
            allowed_by="allow-7",
            allowlist="exceptions",
            match_id="CVE-2023-44487",
        ),
    )


def outcome(item_id: str, status: str, covered: int, note: str, subject: str, **more: str) -> AllowOutcome:
    return AllowOutcome("exceptions", item_id, status, covered, note, "vulnerabilities", subject, **more)


ALLOWANCES = (
    outcome("allow-1", "unused", 0, "nothing in this image fits it", "CVE-2022-1+bash"),
    outcome(
        "allow-7",
        "expiring",
        1,
        "ends in 9 days; there is a fix now: nginx 1.22.1-9+deb12u1",
        "CVE-2023-44487+*",
        owner="jo@example.org",
        reason="HTTP/2 is switched off in every server block, and the load balancer speaks HTTP/1.1 to us",
        ticket="SEC-12",
        created="2026-09-01",
        expires="2026-11-30",
    ),
    outcome(
        "allow-8", "expired", 0, "1 finding that it let through weighs again", "CVE-2023-45853", expires="2026-11-01"
    ),
    outcome("allow-9", "used", 0, "", "CVE-2026-3333 in curl (base image only)", owner="kim", reason="no upload"),
)
RULES = (
    RuleOutcome(
        "default", "stop-critical", "vulnerabilities", "package", Action.STOP, "fired", 4, 1, "41 matches in 9 packages"
    ),
    RuleOutcome(
        "default", "warn-healthcheck", "dockerfile", "instruction", Action.WARN, "fired", 1, 0, "4 history entries"
    ),
    RuleOutcome("default", "r9", "dockerfile", "instruction", Action.GO, "fired", 1, 0, "4 history entries"),
    RuleOutcome(
        "default", "no-ssh", "dockerfile", "exposed_ports", Action.STOP, "silent", looked_at="4 history entries"
    ),
    RuleOutcome(
        "default",
        "old",
        "anchoresec",
        "cvehigh",
        Action.STOP,
        "not-run",
        note="gate anchoresec is retired: use vulnerabilities",
    ),
)


REMARK = Problem("feeds", "osv", "last synced 20 days ago", "run: anchore feeds sync osv", incomplete=False)
GAP = Problem(
    "analyze",
    "var/lib/rpm/rpmdb.sqlite",
    "the rpm database is damaged: not a database",
    "rebuild the image, or look at it with rpm --root",
)


def report(**changes: Any) -> Report:
    """A failing image with a case of everything."""
    value = Report(
        analysis=Analysis(
            image=image(),
            distro=Distro("debian", "12", "Debian GNU/Linux", "bookworm", (), "Debian GNU/Linux 12 (bookworm)"),
            packages=PACKAGES,
            problems=(),
            analyzers={"python": 1, "dpkg": 2},
            file_count=5000,
            file_bytes=120_000_000,
        ),
        matches=matches(),
        verdict=Verdict(
            Status.FAIL,
            Action.STOP,
            "policy_evaluation",
            findings(),
            ("default",),
            "everything",
            rules=RULES,
            allowances=ALLOWANCES,
        ),
        feeds=(STARTER, DEBIAN, OSV),
        feed_revision=7,
        bundle_id="default",
        bundle_name="Default policy for CI",
        bundle_digest=hexes("bundle"),
        tool_version="0.1.0",
        created_at=NOW,
        problems=(REMARK,),
    )
    return replace(value, **changes)


def clean_report() -> Report:
    """Nothing found, nothing missed."""
    base = report()
    return replace(
        base,
        analysis=replace(base.analysis, packages=(NGINX,), image=image(INSTRUCTIONS[:1])),
        matches=(),
        verdict=Verdict(Status.PASS, Action.GO, "policy_evaluation", (), ("default",)),
        feeds=(DEBIAN,),
        problems=(),
    )


def indeterminate_report() -> Report:
    """The first run: starter feed only, a damaged database, one layer."""
    base = report()
    no_feed = Problem("feeds", "debian", "only the built-in feed speaks of debian:12", "run: anchore feeds sync")
    return replace(
        base,
        analysis=replace(base.analysis, packages=(LIBSSL, REQUESTS), image=image(INSTRUCTIONS[:1]), distro=None),
        matches=(
            match("CVE-2024-5535", LIBSSL, Severity.CRITICAL, ["3.0.15-1~deb12u1"], feed="starter"),
            match("CVE-2024-35195", replace(REQUESTS, layer=diff_id(0)), Severity.MEDIUM, ["2.32.0"], feed="starter"),
        ),
        verdict=Verdict(
            Status.INDETERMINATE, Action.STOP, "evidence", findings()[2:3], ("default",), problems=(no_feed,)
        ),
        feeds=(STARTER,),
        problems=(GAP, no_feed, REMARK),
    )


def unevaluated_report() -> Report:
    """Analysis only, as for an SBOM: no feed, no policy, a package in no known layer."""
    base = report()
    stray = Package(
        "stray", "", "generic", "fuzzy", licenses=("A licence of our own", "MIT"), cpes=("cpe:2.3:a:x:y:1",)
    )
    return replace(
        base,
        analysis=replace(base.analysis, packages=(*PACKAGES, stray)),
        matches=(),
        verdict=None,
        feeds=(),
        feed_revision=0,
        bundle_id="",
        bundle_name="",
        bundle_digest="",
        problems=(),
    )


def hostile_report() -> Report:
    """Every text that an image or a feed can write tries to break out."""
    bad = HOSTILE + "\udcff"
    package = deb(bad, bad, source=bad, source_version=bad, layer=1, licenses=(bad,), owner=bad, vendor=bad, purl=bad)
    package = replace(package, type="npm", scheme="npm", locations=(Location(ImagePath(bad), diff_id(1)),))
    base_image = image(("ADD x", bad), config=replace(image().config, created=bad, labels={bad: bad}, env=(bad,)))
    return report(
        analysis=Analysis(
            image=replace(base_image, ref=ImageRef("docker-archive", bad, path=bad)),
            distro=Distro(bad, bad, bad, bad, (bad,), bad, ImagePath(bad)),
            packages=(package,),
        ),
        matches=(
            match(bad, package, Severity.CRITICAL, [bad], url=bad, why=bad, aliases=(bad,), summary=bad),
            match(bad + "2", package, Severity.HIGH, suppressed=bad),
            match(bad + "3", package, Severity.HIGH, verdict=MatchVerdict.UNKNOWN, why=bad),
        ),
        verdict=Verdict(
            Status.FAIL,
            Action.STOP,
            "policy_evaluation",
            (
                finding(Action.STOP, bad, bad, gate=bad, trigger=bad, rule_id=bad, match_id=bad),
                finding(Action.WARN, bad, bad, allowed_by=bad, allowlist="exceptions"),
            ),
            rules=(RuleOutcome(bad, bad, bad, bad, Action.STOP, bad, 1, 1, bad, bad),),
            allowances=(outcome(bad, bad, 1, bad, bad, owner=bad, reason=bad, ticket=bad, expires=bad),),
        ),
        feeds=(replace(DEBIAN, name=bad, updated_at=bad), replace(STARTER, source_date=bad)),
        bundle_name=bad,
        problems=(Problem("analyze", bad, bad, bad),),
    )


def large_report(packages: int = 1500, vulnerable: int = 500) -> Report:
    """As many packages and matches as a large image has."""
    base = report()
    many = tuple(deb(f"lib{n:04}", f"1:{n}.2-{n % 7}", source=f"src{n // 3:04}", layer=n % 4) for n in range(packages))
    found = tuple(
        match(f"CVE-2024-{10_000 + n}", many[n * 7 % packages], Severity(n % 6), [f"1:{n + 9999}.0"][: n % 2])
        for n in range(vulnerable)
    )
    stops = tuple(
        finding(Action.STOP, f"{each.id}+{each.package.name}", each.id, match_id=each.id)
        for each in found
        if each.severity >= Severity.HIGH
    )
    return replace(
        base,
        analysis=replace(base.analysis, packages=many),
        matches=found,
        verdict=Verdict(Status.FAIL, Action.STOP, "policy_evaluation", stops, ("default",)),
    )
