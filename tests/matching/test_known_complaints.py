"""What users of other scanners complain about most, each as a small case of its own.

``thread`` is the number of the thread it was reported in: ``grype`` is github.com/anchore/grype, ``trivy`` is
github.com/aquasecurity/trivy, others are named whole. The data are made up; the trap is the thread's.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from anchorecli.model import Advisory, Distro, MatchVerdict, Package, Range, Severity, Statement
from tests.matching.feeds import Feeds, advisory, affected, denial, package

SLES = Distro("sles", "15.7")
OL8 = Distro("ol", "8.9", like=("fedora",))
BOOKWORM = Distro("debian", "12", codename="bookworm")
ALPINE = Distro("alpine", "3.20.3")
CENTOS = Distro("centos", "7", like=("rhel", "fedora"))
ROCKY = Distro("rocky", "9.4", like=("rhel", "centos", "fedora"))
RHEL = Distro("rhel", "9.2")
RHEL8 = Distro("rhel", "8.10")
CVE = "CVE-2024-0001"


@dataclass(frozen=True)
class Case:
    """A thread, what is installed, what the feeds say, and what must come of it."""

    thread: str
    trap: str
    packages: tuple[Package, ...]
    feeds: tuple[Advisory, ...]
    distro: Distro | None = None
    found: tuple[str, ...] = ()
    """Names of the packages for which it counts."""
    suppressed: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def cpe(vendor: str, product: str, version: str, target: str = "*") -> str:
    return f"cpe:2.3:a:{vendor}:{product}:{version}:*:*:*:*:{target}:*:*"


def nvd(name: str, fixed: str = "", **rest: object) -> Advisory:
    return advisory(CVE, affected("nvd", name, fixed, scheme="cpe", **rest), feed="nvd")


def ghsa(space: str, name: str, fixed: str, scheme: str, **rest: object) -> Advisory:
    one = affected(space, name, fixed, scheme=scheme, **rest)
    return advisory("GHSA-aaaa-bbbb-cccc", one, feed="ghsa", aliases=(CVE,))


def owned(name: str, version: str, owner: str) -> Package:
    return package(name, version, "pypi", owner=f"pkg:rpm/suse/{owner}@1")


def maven(group: str, name: str, version: str) -> Package:
    return package(f"{group}:{name}", version, "maven", purl=f"pkg:maven/{group}/{name}@{version}")


def collision(thread: str, kind: str, name: str, version: str, product: str) -> Case:
    """A package that another program's CPE could be taken for."""
    one = package(name, version, kind, cpes=(cpe(*product.split(":"), version),))
    return Case(thread, f"{kind} {name} is not {product}", (one,), (nvd(product, "9999"),))


OVERLAPS = [
    Case(
        thread,
        f"{name} came with an rpm whose maker ported the fix back",
        (package(rpm, version, "rpm", source=f"python-{name}"), owned(name, upstream, rpm)),
        (
            advisory(CVE, affected(space, rpm, fixed), feed="suse"),
            ghsa("pypi", name, "99", "pep440"),
        ),
        distro,
        suppressed=(name,),
    )
    for thread, distro, space, name, rpm, version, fixed, upstream in (
        ("grype#1361", OL8, "ol:8", "setuptools", "python3-setuptools", "39.2.0-7.el8", "39.2.0-6.el8", "39.2.0"),
        ("grype#3296", SLES, "sles:15.7", "urllib3", "python3-urllib3", "1.25.10-4.21.1", "1.25.10-4.21.1", "1.25.10"),
        ("grype#2986", SLES, "sles:15.7", "requests", "python311-requests", "2.31.0-6.18.1", "2.31.0-6.15.1", "2.31.0"),
        ("grype#3405", SLES, "sles:15.7", "cryptography", "python3-cryptography", "3.3.2-26.1", "3.3.2-26.1", "3.3.2"),
    )
]

COLLISIONS = [
    collision("grype#603", "gem", "matrix", "0.4.2", "matrix:matrix"),
    collision("grype#899", "gem", "artifactory", "3.0.15", "jfrog:artifactory"),
    collision("grype#921", "gem", "http", "5.1.0", "jodd:http"),
    collision("grype#902", "cargo", "prometheus", "0.13.1", "prometheus:prometheus"),
    collision("grype#817", "npm", "platform", "1.3.6", "pega:platform"),
    collision("grype#295", "npm", "fresh", "0.5.2", "fresh:fresh"),
    collision("grype#890", "npm", "chainsaw", "0.1.0", "apache:chainsaw"),
    collision("grype#728", "npm", "clipboard", "2.0.0", "clipboard:clipboard"),
    collision("grype#212", "pypi", "netaddr", "0.8.0", "netaddr:netaddr"),
    collision("grype#445", "npm", "through", "2.3.8", "through:through"),
]

DISTRIBUTIONS = [
    Case(
        "grype#2560",
        "python311-Werkzeug is another package than python3-Werkzeug",
        (package("python3-Werkzeug", "1.0.1-1", "rpm", source="python-Werkzeug"),),
        (advisory(CVE, affected("sles:15.7", "python311-Werkzeug", "2.3.6-5"), feed="suse"),),
        SLES,
    ),
    Case(
        "trivy#1596, grype#942",
        "headers hold no kernel code",
        (package("linux-libc-dev", "6.1.55-1", source="linux"), package("linux-image-6.1", "6.1.55-1", source="linux")),
        (advisory(CVE, affected("debian:12", "linux", "6.1.66-1")),),
        BOOKWORM,
        found=("linux-image-6.1",),
        suppressed=("linux-libc-dev",),
    ),
    Case(
        "trivy#245",
        "a release is newer than its candidate (1.6-r0, 1.6_rc1-r0)",
        (package("jq", "1.6-r0", "apk"),),
        (advisory(CVE, affected("alpine:3.20", "jq", "1.6_rc1-r0"), feed="alpine"),),
        ALPINE,
    ),
    Case(
        "trivy#316",
        "what is named is the installed package, not its origin",
        (package("git-perl", "2.20.1-r0", "apk", source="git"),),
        (advisory(CVE, affected("alpine:3.20", "git", "2.20.2-r0"), feed="alpine"),),
        ALPINE,
        found=("git-perl",),
    ),
    Case(
        "trivy#2342",
        "php of a third party's module is not the distribution's",
        (package("php", "7.4.30-1.el8.remi", "rpm", module="php:remi-7.4:8060020220607113500:00000000"),),
        (advisory(CVE, affected("almalinux:8", "php", "7.4.33-1.module_el8.7.0", module="php:7.4"), feed="osv"),),
        Distro("almalinux", "8.6", like=("rhel", "centos", "fedora")),
    ),
    Case(
        "grype#820",
        "nodejs:16 is not nodejs:18",
        (package("nodejs", "1:16.20.2-4.module+el8.9.0+21+a", "rpm", module="nodejs:16:8090020231106:a1b2"),),
        (
            advisory(
                CVE, affected("rhel:8", "nodejs", "1:18.18.2-1.module+el8.9.0+20+b", module="nodejs:18"), feed="redhat"
            ),
        ),
        RHEL8,
    ),
    Case(
        "grype#3130",
        "a rebuild is judged by its own errata, not by Red Hat's build strings",
        (package("nodejs", "1:16.20.2-4.module+el8.9.0+1650+e98", "rpm", module="nodejs:16:8090020231106:a1b2"),),
        (
            advisory(
                CVE,
                affected("rhel:8", "nodejs", "1:16.20.2-4.module+el8.9.0+20784+ab", module="nodejs:16"),
                affected("rocky:8", "nodejs", "1:16.20.2-4.module+el8.9.0+1650+e98", module="nodejs:16"),
            ),
        ),
        Distro("rocky", "8.9", like=("rhel", "centos", "fedora")),
    ),
    Case(
        "grype#1696",
        "CentOS writes .el7.centos.5 where Red Hat writes .el7_9.5",
        (package("httpd", "2.4.6-97.el7.centos.5", "rpm"), package("httpd-tools", "2.4.6-97.el7.centos.4", "rpm")),
        (
            advisory(
                CVE,
                affected("rhel:7", "httpd", "0:2.4.6-97.el7_9.5"),
                affected("rhel:7", "httpd-tools", "0:2.4.6-97.el7_9.5"),
                feed="redhat",
            ),
        ),
        CENTOS,
        found=("httpd-tools",),
    ),
    Case(
        "grype#2446",
        "the fix of an extended stream is a fix for a build out of it",
        (package("openssl", "1:3.0.7-6.el9_2.3", "rpm"), package("bash", "5.1.8-6.el9_1", "rpm")),
        (
            advisory(
                CVE,
                affected("rhel:9", "openssl", "1:3.0.7-27.el9"),
                affected("rhel:9", "bash", "5.1.8-9.el9"),
                affected("rhel:9.2+eus", "openssl", "1:3.0.7-6.el9_2.3"),
                feed="redhat",
            ),
        ),
        RHEL,
        found=("bash",),
        suppressed=("openssl",),
    ),
    Case(
        "grype#437",
        "an erratum without epochs is about the package with one",
        (package("bind", "32:9.16.23-1.el9", "rpm"), package("bind-libs", "32:9.16.23-5.el9", "rpm")),
        (
            advisory(
                CVE,
                affected("rocky:9", "bind", "9.16.23-5.el9"),
                affected("rocky:9", "bind-libs", "9.16.23-5.el9"),
                feed="osv:Rocky Linux",
            ),
        ),
        ROCKY,
        found=("bind",),
    ),
    Case(
        "trivy#1610, grype#1446, grype#466",
        "a rolling release has records too",
        (package("openssl", "3.3.0-1"),),
        (advisory(CVE, affected("debian:unstable", "openssl", "3.3.1-1")),),
        Distro("debian", codename="sid"),
        found=("openssl",),
    ),
    Case(
        "grype#2333",
        "Amazon Linux 2 is not Amazon Linux 2023",
        (package("curl", "8.3.0-1.amzn2.0.7", "rpm"),),
        (
            advisory(CVE, affected("amzn:2023", "curl", "8.5.0-1.amzn2023.0.1"), feed="amazon"),
            advisory("CVE-2024-2", affected("amzn:2", "other", "1-1"), feed="amazon"),
        ),
        Distro("amzn", "2", like=("centos", "rhel", "fedora")),
    ),
    Case(
        "grype#900",
        "a port back is newer than the fix it has (+deb12u3, +deb12u2), and one from backports by its number",
        (
            package("openssh-client", "1:9.2p1-2+deb12u3", source="openssh"),
            package("openssh-server", "1:9.2p1-2+deb12u1", source="openssh"),
            package("openssh-sftp", "1:9.4p1-1~bpo12+1", source="openssh"),
        ),
        (advisory(CVE, affected("debian:12", "openssh", "1:9.2p1-2+deb12u2")),),
        BOOKWORM,
        found=("openssh-server",),
    ),
    Case(
        "grype#1061, trivy#403",
        "what was taken from backports has the fix that unstable has, though the release has none",
        (
            package("bash", "5.2.15-2~bpo11+1"),
            package("libreadline", "5.2.10-1~bpo11+1", source="bash"),
            package("bash-doc", "5.1-2+deb11u1", source="bash"),
        ),
        (
            advisory(
                CVE,
                affected("debian:11", "bash", statement=Statement.WONT_FIX),
                affected("debian:unstable", "bash", "5.2.15-1"),
            ),
        ),
        Distro("debian", "11", codename="bullseye"),
        found=("bash-doc", "libreadline"),
        suppressed=("bash",),
    ),
    Case(
        "quay/clair#395",
        "a pre-release is older than its release in rpm, and a snapshot after it newer (~ and ^)",
        (package("a", "1.0~rc1-1", "rpm"), package("b", "1.0^git1-1", "rpm")),
        (advisory(CVE, affected("rocky:9", "a", "1.0-1"), affected("rocky:9", "b", "1.0-1"), feed="osv"),),
        ROCKY,
        found=("a",),
    ),
]

LANGUAGES = [
    Case(
        "trivy#1589",
        "log4j-api is not log4j-core",
        (maven("org.apache.logging.log4j", "log4j-api", "2.13.3"),
         maven("org.apache.logging.log4j", "log4j-core", "2.13.3")),
        (ghsa("maven", "org.apache.logging.log4j:log4j-core", "2.15.0", "maven"),),
        found=("org.apache.logging.log4j:log4j-core",),
    ),
    Case(
        "trivy#2089",
        "an artifact is known by its group and name",
        (maven("net.minidev", "json-smart", "2.3"),),
        (ghsa("maven", "net.minidev:json-smart", "2.3.1", "maven"),),
        found=("net.minidev:json-smart",),
    ),
    Case(
        "trivy#1025",
        "each branch has its fix: 2.4.7 has that of its own",
        (maven("net.minidev", "json-smart", "2.4.7"), maven("net.minidev", "json-smart-old", "1.3.1")),
        tuple(
            ghsa("maven", f"net.minidev:{name}", "", "maven",
                 ranges=(Range("0", "1.3.3"), Range("2.0", "2.3.1"), Range("2.4", "2.4.4")))
            for name in ("json-smart", "json-smart-old")
        ),
        found=("net.minidev:json-smart-old",),
    ),
    Case(
        "trivy#5627",
        "one name in two groups is two artifacts",
        (maven("org.elasticsearch", "elasticsearch", "7.10.2"),),
        (ghsa("maven", "software.amazon.awssdk:elasticsearch", "9", "maven"),),
    ),
    Case(
        "trivy#1132, trivy#1456, grype#1863",
        "a module built from a commit is not older than every release: nobody knows",
        (package("github.com/docker/cli", "v0.0.0-20211117234946-dea9396e1842", "golang",
                 metadata={"inexact": "built from a commit: its place among the releases is not known"}),),
        (ghsa("golang", "github.com/docker/cli", "20.10.9", "go"),),
        unknown=("github.com/docker/cli",),
    ),
    Case(
        "grype#972",
        "(devel) is no version",
        (package("github.com/traefik/traefik", "(devel)", "golang"),),
        (ghsa("golang", "github.com/traefik/traefik", "2.9.10", "go"),),
        unknown=("github.com/traefik/traefik",),
    ),
    Case(
        "grype#3425, grype#3694",
        "Python 3.12.14 has the fix of its branch",
        (package("python", "3.12.14", "generic", cpes=(cpe("python", "python", "3.12.14"),)),),
        (nvd("python:python", ranges=(Range("", "3.12.14"), Range("3.13.0", "3.13.6"))),),
    ),
    Case(
        "grype#3279",
        "malware under the name of a private package is about published versions alone",
        (package("our-tool", "1.0.0", "npm", metadata={"kind": "application", "private": "true"}),),
        (advisory("MAL-2024-1", affected("npm", "our-tool", scheme="npm"), feed="osv:npm"),),
    ),
    Case(
        "grype#576",
        "the target software of a record is another's",
        (package("rc", "1.2.8", "generic", cpes=(cpe("rc", "rc", "1.2.8"),)),),
        (nvd("rc:rc", "9", arches=("node.js",)),),
    ),
]  # fmt: skip

CASES = OVERLAPS + COLLISIONS + DISTRIBUTIONS + LANGUAGES


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.thread)
def test_a_known_complaint(case: Case) -> None:
    result = Feeds(case.feeds).match(*case.packages, distro=case.distro)
    counted = [each for each in result.matches if not each.suppressed]
    assert tuple(e.package.name for e in counted if e.verdict is MatchVerdict.AFFECTED) == case.found, case.trap
    assert tuple(e.package.name for e in counted if e.verdict is MatchVerdict.UNKNOWN) == case.unknown, case.trap
    # What does not count is there to be seen, with its reason.
    assert tuple(e.package.name for e in result.matches if e.suppressed) == case.suppressed, case.trap


def test_there_are_enough_of_them() -> None:
    assert len({case.thread for case in CASES}) >= 25


def test_one_problem_with_two_ids_is_one_finding_with_the_fix_of_whoever_has_it() -> None:
    """grype#973, grype#1401, grype#1202: reported twice, and by CVE without the fix."""
    feeds = Feeds(
        [
            ghsa("golang", "x.org/y", "1.2.0", "go"),
            advisory("GO-2024-1", affected("golang", "x.org/y", scheme="go"), feed="govulndb", aliases=(CVE,)),
        ]
    )
    (found,) = feeds.match(package("x.org/y", "1.1.0", "golang"), distro=None).matches
    assert (found.id, found.aliases) == (CVE, ("GHSA-aaaa-bbbb-cccc", "GO-2024-1"))
    assert found.fixed_in == ("1.2.0",)


def test_the_vendors_severity_leads_and_every_other_score_is_kept() -> None:
    """grype#717, grype#2850: one CVE is medium here and high there."""
    from anchorecli.model import Cvss

    about = affected("cve", CVE, scheme="cpe", statement=Statement.UNDER_INVESTIGATION)
    feeds = Feeds(
        [
            advisory(CVE, affected("debian:12", "x", "2", severity=Severity.MEDIUM)),
            advisory(CVE, about, feed="nvd", severity=Severity.HIGH, cvss=(Cvss("3.1", "CVSS:3.1/AV:N", 8.8, "nvd"),)),
        ]
    )
    (found,) = feeds.match(package("x", "1"), distro=BOOKWORM).matches
    assert found.severity is Severity.MEDIUM
    assert [score.source for score in found.cvss] == ["nvd"]


def test_what_the_distribution_says_is_not_affected_stays_visible() -> None:
    """grype#2242: confusion about what was left out in silence."""
    feeds = Feeds(
        [
            advisory(CVE, denial("ol:8", "python3-setuptools"), affected("ol:8", "other", "1-1"), feed="oracle"),
            ghsa("pypi", "setuptools", "99", "pep440"),
        ]
    )
    (found,) = feeds.match(owned("setuptools", "39.2.0", "python3-setuptools"), distro=OL8).matches
    assert found.suppressed == "owned by pkg:rpm/suse/python3-setuptools@1: the distribution's feed decides"


def test_gos_own_library_is_a_gap_where_nobody_speaks_of_it() -> None:
    """google/osv-scanner#453: modules are covered by a feed that says nothing of the standard library."""
    stdlib = package("stdlib", "1.22.1", "golang")
    modules = ghsa("golang", "golang.org/x/net", "0.23.0", "go")
    (problem,) = Feeds([modules]).match(stdlib, distro=None).problems
    assert problem.message == "no feed covers golang stdlib: 1 package was not checked for vulnerabilities"
    assert problem.hint.startswith("anchore feeds sync govulndb")
    assert problem.incomplete
    known = advisory(
        "GO-2024-2", affected("golang", "stdlib", "1.22.3", scheme="go"), feed="govulndb", aliases=("CVE-2024-2222",)
    )
    result = Feeds([modules, known]).match(stdlib, distro=None)
    assert ([each.id for each in result.matches], result.problems) == (["CVE-2024-2222"], ())
