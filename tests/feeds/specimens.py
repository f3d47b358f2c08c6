"""A small specimen of what each feed's upstream publishes, as a tree of files and as a site, made here.

A new driver needs one: ``test_contract`` fails without, and holds it to what is asked of all.
"""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from anchorecli.feeds.enrichment.endoflife import PRODUCTS
from anchorecli.feeds.language.nvd import FIRST_YEAR
from tests.feeds.language.test_databases import RUST, ZERO, go
from tests.feeds.language.test_nvd import cve, enriched, hit
from tests.feeds.language.test_nvd import page as nvd_page
from tests.feeds.linux.test_arch import group
from tests.feeds.linux.test_echo import ECHO
from tests.feeds.linux.test_secdb import rolling
from tests.feeds.linux.test_ubuntu import record as ubuntu
from tests.feeds.rpm.samples import joined, oval, rpm_test
from tests.feeds.rpm.test_amazon import REPOMD, UPDATEINFO, updates
from tests.feeds.rpm.test_amazon import update as alas
from tests.feeds.rpm.test_azurelinux import definition
from tests.feeds.rpm.test_fedora import RELEASES, page
from tests.feeds.rpm.test_fedora import update as bodhi
from tests.feeds.rpm.test_oracle import arch, erratum, package
from tests.feeds.rpm.test_photon import entry
from tests.feeds.rpm.test_redhat import document as rhel
from tests.feeds.rpm.test_suse import document as sles
from tests.feeds.samples import TRACKER, affected, osv, secdb, zipped

Files = Mapping[str, bytes]
Site = Callable[[Files], dict[str, bytes]]


@dataclass(frozen=True)
class Specimen:
    """``files`` are what a clone or a mirror holds; ``site`` says what a server with the same gives, by path.

    ``url`` is what is behind the server's address in the feed's URL.
    ``lines``: the form has no end that would be missed: what was cut off cannot be told from what never was there.
    """

    files: Files
    site: Site
    url: str = ""
    lines: bool = False


def _bytes(content: Any) -> bytes:
    if isinstance(content, bytes):
        return content
    return content.encode() if isinstance(content, str) else json.dumps(content, indent=1).encode()


def _files(**contents: Any) -> Files:
    return {name: _bytes(content) for name, content in contents.items()}


def _alone(files: Files) -> dict[str, bytes]:
    """One file, under its own name."""
    (name,) = files
    return {f"/{name}": files[name]}


def _zip(files: Files) -> dict[str, bytes]:
    """A zip of the tree, as code hosts make it."""
    return {"/all.zip": zipped({f"main/{name}": data for name, data in files.items()})}


def _tree(files: Files) -> dict[str, bytes]:
    return {f"/{name}": data for name, data in files.items()}


def tarball(files: Files, mode: str = "w:xz") -> bytes:
    """The tree in a tar."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for name, data in files.items():
            entry_ = tarfile.TarInfo(name)
            entry_.size = len(data)
            archive.addfile(entry_, io.BytesIO(data))
    return buffer.getvalue()


def _alpine(files: Files) -> dict[str, bytes]:
    return _tree(files) | {"/": b'<a href="v3.20/">v3.20/</a> <a href="edge/">edge/</a>'}


def _amazon(files: Files) -> dict[str, bytes]:
    site = {"/2/extras-catalog.json": b'{"topics": []}'}
    for folder, repository in (("2", "2/core/latest/x86_64"), ("2023", "al2023/core/mirrors/latest/x86_64")):
        base = f"https://cdn.amazonlinux.com/blob/{folder}"
        site[f"/{repository}/mirror.list"] = base.encode()
        site[f"/blob/{folder}/repodata/repomd.xml"] = REPOMD.format(UPDATEINFO.format(folder)).encode()
        site[f"/blob/{folder}/repodata/{folder}-updateinfo.xml.gz"] = gzip.compress(
            files[f"{folder}/updateinfo.xml"], mtime=0
        )
    return site


def _fedora(files: Files) -> dict[str, bytes]:
    # Whatever is asked for stands behind the path: the server looks at that alone.
    return {"/releases/": _bytes(RELEASES), "/updates/": files["updates.json"]}


def _nvd(files: Files) -> dict[str, bytes]:
    empty = _bytes(nvd_page())
    years = range(FIRST_YEAR, datetime.now(UTC).year + 1)
    site = {f"/nvdcve-2.0-{year}.json.gz": gzip.compress(files.get(f"{year}.json", empty), mtime=0) for year in years}
    return site | {"/nvdcve-2.0-modified.json.gz": gzip.compress(empty, mtime=0)}


def _packages(files: Files) -> dict[str, bytes]:
    return {"/npm/express": files["npm/express.json"], "/gem/api/v1/versions/rake.json": files["gem/rake.json"]}


def _redhat(files: Files) -> dict[str, bytes]:
    changes = "".join(f'"{name}","2024-01-01T00:00:00+00:00"\n' for name in files)
    return {
        "/changes.csv": changes.encode(),
        "/deletions.csv": b"",
        "/archive_latest.txt": b"csaf_vex_2024-06-01.tar.xz\n",
        "/csaf_vex_2024-06-01.tar.xz": tarball(files),
    }


def _secureos(files: Files) -> dict[str, bytes]:
    from hashlib import sha256

    data = files["secdb.json"]
    note = {"latest_url": "https://security.secureos.io/v1/secdb.json", "sha256": sha256(data).hexdigest()}
    return {"/latest.json": _bytes(note), "/secdb.json": data}


def _photon(files: Files) -> dict[str, bytes]:
    return _tree(files) | {"/photon_versions.json": b'{"branches": ["4.0", "5.0"]}'}


def _secdb(host: str) -> Specimen:
    content = rolling(
        {"curl": {"8.9-r0": ["CVE-2024-1000"], "0": ["CVE-2024-1001"]}, "x": {"1": ["CVE-2024-1002"]}}, host
    )
    return Specimen(_files(**{"security.json": content}), _alone, "/security.json")


def _osv(ecosystem: str, prefix: str) -> Specimen:
    files = {}
    for number in range(1, 4):
        name = f"{prefix}-2024:{number}"
        one = affected("curl", ZERO, {"fixed": f"7.{number}-1.el9"}, ecosystem=ecosystem)
        files[f"{number}.json"] = osv(name, one, aliases=[f"CVE-2024-000{number}"])
    return Specimen(_files(**files), _zip, "/all.zip")


def _three(
    name: str, content: Callable[[int], Any], site: Site = _zip, url: str = "/all.zip", *, lines: bool = False
) -> Specimen:
    """Three files of one record each; ``name`` has a place for the number."""
    return Specimen(_files(**{name.format(number): content(number) for number in (1, 2, 3)}), site, url, lines)


def _ghsa(number: int) -> Any:
    one = affected("p", ZERO, {"fixed": f"1.{number}"}, ecosystem="npm", kind="SEMVER")
    return osv(f"GHSA-aaaa-bbbb-ccc{number}", one, aliases=[f"CVE-2024-000{number}"])


def _enriched(number: int) -> Any:
    found = enriched()
    found["cveMetadata"] |= {"cveId": f"CVE-2024-000{number}"}
    return found


def _suse(number: int) -> Any:
    return sles(f"CVE-2024-000{number}")


def _redhat_document(number: int) -> Any:
    return json.dumps(rhel(), indent=1).replace("CVE-2024-0001", f"CVE-2024-000{number}")


_AZURE = joined(rpm_test(1, "curl", "less than", "0:8.8.0-2.azl3"), rpm_test(2, "zlib", "less than", "0:1.3-1.azl3"))
_MARINER = joined(rpm_test(1, "curl", "less than", "0:8.8.0-1.cm2"))
_ERRATA = erratum("ELSA-2024-0001", arch("x86_64", package("thing", "1:2-3.el8"))) + erratum(
    "ELSA-2024-0002", arch("x86_64", package("p", "0:1-1")), module="m:1"
)
_KEV = [{"cveID": f"CVE-2025-100{n}", "dateAdded": "2025-08-25", "dueDate": "2025-09-15"} for n in range(3)]
_EPSS = "#model_version:v2025.03.14,score_date:2025-08-25T00:00:00+0000\ncve,epss,percentile\n" + "".join(
    f"CVE-2025-100{n},0.0{n + 1},0.{n + 5}\n" for n in range(4)
)
_CYCLES = [{"cycle": "12", "eol": "2026-07-11"}, {"cycle": "13", "eol": "2028-08-09"}, {"cycle": "sid", "eol": False}]

SPECIMENS: dict[str, Specimen] = {
    "alpine": Specimen(
        _files(
            **{
                "v3.20/main.json": secdb("v3.20", "main", {"curl": {"8.9-r0": ["CVE-2024-1000"]}}),
                "v3.20/community.json": secdb("v3.20", "community", {"x": {"1-r0": ["CVE-2024-1001"]}}),
                "edge/main.json": secdb("edge", "main", {"curl": {"8.9-r1": ["CVE-2024-1000"]}}),
                "edge/community.json": secdb("edge", "community", {"y": {"0": ["CVE-2024-1002"]}}),
            }
        ),
        _alpine,
    ),
    "amazon": Specimen(
        _files(
            **{
                "2/updateinfo.xml": updates(
                    alas("ALAS2-2024-1", "amazon-linux-2", "p 0 1.2 3.amzn2 x86_64"),
                    alas("ALAS2-2024-2", "amazon-linux-2", "q 0 1.2 3.amzn2 x86_64"),
                ),
                "2023/updateinfo.xml": updates(
                    alas("ALAS2023-2024-3", "amazon-linux-2023---core", "p 1 2.0 1.amzn2023 noarch")
                ),
            }
        ),
        _amazon,
    ),
    "arch": Specimen(
        _files(**{"all.json": [group(f"AVG-{n}", issues=[f"CVE-2024-100{n}"]) for n in range(3)]}), _alone, "/all.json"
    ),
    "azurelinux": Specimen(
        _files(
            **{
                "azurelinux-3.0-oval.xml": oval(
                    definition(1, "CVE-2024-0001", 1) + definition(2, "CVE-2024-0002", 2), *_AZURE
                ),
                "cbl-mariner-2.0-oval.xml": oval(definition(1, "CVE-2024-0001", 1), *_MARINER),
            }
        ),
        _tree,
    ),
    "bitnami": _three(
        "data/n/BIT-n-2024-{}.json",
        lambda n: osv(f"BIT-n-2024-{n}", affected("n", ZERO, {"fixed": f"1.{n}"}, ecosystem="Bitnami")),
    ),
    "chainguard": _secdb("packages.cgr.dev"),
    "debian": Specimen(_files(**{"data.json": TRACKER}), _alone, "/data.json"),
    "echo": Specimen(_files(**{"data.json": ECHO}), _alone, "/data.json"),
    "end-of-life": Specimen(
        _files(**{f"{each}.json": _CYCLES for each in PRODUCTS if each in ("debian", "ubuntu")}), _tree
    ),
    "epss": Specimen(
        _files(**{"epss_scores-2025-08-25.csv": _EPSS}), _alone, "/epss_scores-2025-08-25.csv", lines=True
    ),
    "fedora": Specimen(
        _files(**{"updates.json": page(*(bodhi(f"FEDORA-2025-0a1b2c3d4{n}") for n in range(3)))}), _fedora
    ),
    "ghsa": _three("advisories/github-reviewed/2024/01/GHSA-aaaa-bbbb-ccc{0}/GHSA-aaaa-bbbb-ccc{0}.json", _ghsa),
    "gitlab": _three(
        "conan/x{0}/CVE-2024-000{0}.yml",
        lambda n: (
            f'---\nidentifier: "CVE-2024-000{n}"\nidentifiers:\n- "CVE-2024-000{n}"\npackage_slug: "conan/x{n}"\n'
            f'title: "t"\naffected_range: ">=1.0 <1.{n}||=2.0"\n'
        ),
        lines=True,
    ),
    "govulndb": _three("ID/GO-2024-{}.json", lambda n: osv(f"GO-2024-{n}", go("a.b/c", ZERO, {"fixed": f"1.{n}.0"}))),
    "kev": Specimen(
        _files(**{"kev.json": {"dateReleased": "2025-08-25T17:04:19.9796Z", "vulnerabilities": _KEV}}),
        _alone,
        "/kev.json",
    ),
    "minimos": _secdb("packages.mini.dev"),
    "nvd": Specimen(
        _files(
            **{
                f"{year}.json": nvd_page(
                    *(cve(f"CVE-{year}-100{n}", hit("a:b", versionEndExcluding="2")) for n in (1, 2))
                )
                for year in (2023, 2024)
            }
        ),
        _nvd,
    ),
    "oracle": Specimen(_files(**{"elsa-all.xml": oval(_ERRATA)}), _alone, "/elsa-all.xml"),
    "osv:AlmaLinux": _osv("AlmaLinux:9", "ALSA"),
    "osv:Rocky Linux": _osv("Rocky Linux:9", "RLSA"),
    "packages": Specimen(
        _files(
            **{
                "npm/express.json": {"dist-tags": {"latest": "4.19.2"}, "versions": {"4.19.2": {}, "4.18.0": {}}},
                "gem/rake.json": [{"number": "13.0.6", "platform": "ruby", "prerelease": False}],
            }
        ),
        _packages,
    ),
    "photon": Specimen(
        _files(
            **{
                "cve_data_photon4.0.json": [entry(f"CVE-2024-000{n}", "curl", f"8.{n}-1.ph4") for n in (1, 2)],
                "cve_data_photon5.0.json": [entry(f"CVE-2024-000{n}", "curl", f"8.{n}-1.ph5") for n in (2, 3)],
            }
        ),
        _photon,
    ),
    "phpsec": _three(
        "v/p{0}/CVE-2024-{0}.yaml",
        lambda n: f"cve: CVE-2024-000{n}\nbranches: {{m: {{versions: ['<1']}}}}\nreference: composer://v/p{n}\n",
        lines=True,
    ),
    "pypa": _three(
        "vulns/x/PYSEC-2024-{}.yaml",
        lambda n: (
            f"id: PYSEC-2024-{n}\naffected:\n- package: {{name: x, ecosystem: PyPI}}\n  ranges:\n"
            f'  - type: ECOSYSTEM\n    events:\n    - introduced: "0"\n    - fixed: "1.{n}"\n'
            f'aliases: [CVE-2024-000{n}]\nmodified: "2024-05-01T10:00:00Z"\n'
        ),
    ),
    "redhat": _three("2024/cve-2024-000{}.json", _redhat_document, _redhat, ""),
    "rubysec": _three(
        "gems/g/CVE-2024-000{}.yml",
        lambda n: f"gem: g\ncve: 2024-000{n}\ntitle: t\npatched_versions: ['>= {n}']\n",
        lines=True,
    ),
    "rustsec": _three(
        "crates/c/RUSTSEC-2024-000{}.md",
        lambda n: (RUST % "").replace("RUSTSEC-2024-0001", f"RUSTSEC-2024-000{n}"),
    ),
    "secureos": Specimen(
        _files(
            **{
                "secdb.json": rolling({"curl": {"8.9-r0": ["CVE-2024-1000"], "0": ["CVE-2024-1001"]}}, "apk.cve0.io")
                | {"distroversion": "v1"}
            }
        ),
        _secureos,
    ),
    "suse": _three(
        "csaf-vex/cve-2024-000{}.json", _suse, lambda files: {"/v.tar.bz2": tarball(files, "w:bz2")}, "/v.tar.bz2"
    ),
    "ubuntu": _three(
        "osv/cve/2024/UBUNTU-CVE-2024-100{}.json",
        lambda n: ubuntu(f"UBUNTU-CVE-2024-100{n}"),
        lambda files: {"/osv-all.tar.xz": tarball(files)},
        "/osv-all.tar.xz",
    ),
    "vulnrichment": _three("2024/0xxx/CVE-2024-000{}.json", _enriched),
    "wolfi": _secdb("packages.wolfi.dev"),
}
