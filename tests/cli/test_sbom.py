"""``anchore sbom`` and ``anchore scan sbom:FILE``: an SBOM of an image is judged as the image is."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.analyzers.binary import executables
from tests.analyzers.language.jars import jar, maven
from tests.analyzers.os import rpmdb
from tests.builders import Entry, layer
from tests.cli.world import Done, archive, debian, osv_record, osv_zip, tracker

Run = Callable[..., Done]
Files = Mapping[str, bytes | str | Entry]

FORMATS = ("cyclonedx-json", "cyclonedx-xml", "spdx-json", "spdx-tv", "syft-json")
SITE = "usr/local/lib/python3.11/site-packages"
GEMS = "usr/lib/ruby/gems/3.1.0/specifications"
MODULES = "path\texample.com/own\nmod\texample.com/own\tv1.2.3\t\ndep\tgithub.com/gin-gonic/gin\tv1.9.0\th1:x=\n"


def dist_info(name: str, version: str) -> dict[str, str]:
    return {f"{SITE}/{name}-{version}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"}


def languages() -> dict[str, bytes | str | Entry]:
    go = executables.elf({".go.buildinfo": executables.go_blob("go1.22.3", MODULES)})
    log4j = jar(maven("org.apache.logging.log4j", "log4j-core", "2.14.1"))
    return {
        **dist_info("Jinja2", "3.1.2"),
        "app/node_modules/@babel/core/package.json": '{"name": "@babel/core", "version": "7.0.0", "license": "MIT"}',
        "app/app.jar": jar({"BOOT-INF/lib/log4j-core.jar": log4j, **maven("com.example", "app", "1.0")}),
        "usr/local/bin/own": Entry(content=go, mode=0o755),
        f"{GEMS}/rack-2.0.0.gemspec": 'Gem::Specification.new do |s|\n s.name = "rack"\n s.version = "2.0.0"\nend\n',
    }


def owned() -> dict[str, bytes | str | Entry]:
    """A Python package whose files are dpkg's."""
    path = "usr/lib/python3/dist-packages/requests-2.28.1.egg-info/PKG-INFO"
    return {
        path: "Metadata-Version: 2.1\nName: requests\nVersion: 2.28.1\n",
        "var/lib/dpkg/info/python3-requests.list": f"/.\n/{path}\n",
    }


DEB = {**debian("libssl3=1:3.0.11-1~deb12u1<openssl (3.0.11-1)", "python3-requests=2.28.1-1"), **owned()}
APK = {
    "etc/os-release": "ID=alpine\nVERSION_ID=3.20.1\n",
    "lib/apk/db/installed": "P:libssl3\nV:3.1.4-r1\nA:x86_64\no:openssl\nm:Somebody <a@b.c>\n\nP:musl\nV:1.2.4-r2\n\n",
}
RPM = {
    "etc/os-release": 'ID=rocky\nVERSION_ID="9.4"\n',
    "var/lib/rpm/rpmdb.sqlite": rpmdb.sqlite(
        [
            rpmdb.header("bind-libs", "9.16-1.el9", epoch=32, source="bind-9.16-1.el9.src.rpm"),
            rpmdb.header("nodejs", "18.1-1.el9", module="nodejs:18:9:x"),
        ]
    ),
}


def feeds(run: Run, folder: Path) -> None:
    """Data that speak of every package of these images, with bounds at and beside their versions."""
    records = {
        "openssl": {"fixed_version": "3.0.11-2", "status": "resolved", "urgency": "high"},
        "python3-requests": {"fixed_version": "2.28.1-2", "status": "resolved", "urgency": "low"},
    }
    data = {name: {f"CVE-2024-{at}001": each} for at, (name, each) in enumerate(records.items(), 1)}
    data["openssl"]["CVE-2024-9001"] = {"fixed_version": "3.0.11-1", "status": "resolved"}
    assert run("feeds", "sync", "debian", "--from", tracker(folder / "t.json", data)).code == 0
    spoken_of = {
        "PyPI": (("jinja2", "3.1.3"), ("requests", "2.29.0")),
        "npm": (("@babel/core", "7.0.1"),),
        "Maven": (("org.apache.logging.log4j:log4j-core", "2.15.0"), ("com.example:app", "1.0")),
        "Go": (("github.com/gin-gonic/gin", "1.9.1"), ("stdlib", "1.22.4")),
        "RubyGems": (("rack", "2.0.1"),),
        "Alpine": (("openssl", "3.1.4-r2"), ("musl", "1.2.4-r2")),
        "Rocky Linux": (("bind-libs", "32:9.16-2.el9"), ("bind", "32:9.16-2.el9"), ("nodejs", "18.2-1.el9")),
    }
    releases = {"Alpine": "Alpine:v3.20", "Rocky Linux": "Rocky Linux:9"}
    for ecosystem, packages in spoken_of.items():
        found = [
            osv_record(f"X-{ecosystem.replace(' ', '-')}-{at}", releases.get(ecosystem, ecosystem), name, fixed)
            for at, (name, fixed) in enumerate(packages)
        ]
        path = osv_zip(folder / f"{ecosystem.replace(' ', '')}.zip", *found)
        done = run("feeds", "sync", f"osv:{ecosystem}", "--from", path)
        assert done.code == 0, done.err


def findings(report: Any) -> list[tuple[Any, ...]]:
    """Each finding with its package, as far as an SBOM can tell."""
    return sorted(
        (each["vulnerability"]["id"] if "vulnerability" in each else each["id"], each["package"]["name"],
         each["package"]["version"], each["package"]["type"], tuple(each["fix"]["versions"]) if "fix" in each else (),
         each.get("suppressed", ""))
        for each in (*report["matches"], *report["suppressed"])
    )  # fmt: skip


@pytest.mark.parametrize(
    ("layers", "least"),
    [((DEB, languages()), 9), ((APK,), 1), ((RPM, languages()), 8)],
    ids=["deb", "apk", "rpm"],
)
def test_an_sbom_gives_the_findings_that_the_image_gives(
    layers: tuple[Files, ...], least: int, run: Run, tmp_path: Path
) -> None:
    image = archive(tmp_path / "image.tar", *layers)
    feeds(run, tmp_path)
    expected = findings(run("scan", image, "--fail-on", "critical", "-o", "json").json)
    assert len(expected) >= least
    outputs = [argument for name in FORMATS for argument in ("-o", f"{name}={tmp_path / name}")]
    assert run("sbom", image, *outputs).code == 0
    for name in FORMATS:
        done = run("scan", f"sbom:{tmp_path / name}", "--fail-on", "critical", "-o", "json")
        assert findings(done.json) == expected, name
        assert done.json["image"]["transport"] == "sbom"
        if name == "spdx-json":
            # Written anew and read again it is still the same.
            assert run("sbom", tmp_path / name, "-o", f"cyclonedx-xml={tmp_path / 'again'}").code == 0
            again = run("scan", tmp_path / "again", "--fail-on", "critical", "-o", "json").json
            assert findings(again) == expected


def test_a_bare_path_and_standard_input_are_recognised(run: Run, tmp_path: Path) -> None:
    image = archive(tmp_path / "image.tar", DEB)
    for name in FORMATS:
        path = tmp_path / f"{name}.txt"
        assert run("sbom", image, "-o", f"{name}={path}").code == 0
        assert run("sbom", path, "-o", "packages").out == run("sbom", image, "-o", "packages").out
        for given in ("-", "sbom:-"):
            done = run("sbom", given, "-o", "purls", stdin=path.read_text())
            assert done.out == run("sbom", image, "-o", "purls").out


def test_what_an_sbom_does_not_tell_is_no_pass(run: Run, tmp_path: Path) -> None:
    image = archive(tmp_path / "image.tar", {"app/node_modules/x/package.json": '{"name": "x", "version": "1.0.0"}'})
    run("sbom", image, "-o", f"spdx-json={tmp_path / 'bom'}")
    feeds(run, tmp_path)
    policy = tmp_path / "policy.yaml"
    rules = "  - {gate: files, trigger: suid_or_guid_set, action: STOP}\n"
    head = 'id: x\nversion: "1_0"\npolicies:\n- id: p\n  version: "1_0"\n  rules:\n'
    policy.write_text(head + rules)
    assert run("scan", image, "-p", policy).code == 0
    done = run("scan", f"sbom:{tmp_path / 'bom'}", "-p", policy, "-o", "json")
    assert done.code == 4
    assert done.json["verdict"]["status"] == "indeterminate"
    assert "an SBOM does not tell of" in json.dumps(done.json["coverage"])
    policy.write_text(head + "  - {gate: always, trigger: always, action: WARN}\n")
    assert run("scan", f"sbom:{tmp_path / 'bom'}", "-p", policy).code == 0


def test_an_incomplete_sbom_stays_incomplete(run: Run, tmp_path: Path) -> None:
    image = archive(tmp_path / "image.tar", {**DEB, "var/lib/dpkg/status": "Package: bash\nVersion: 5\nStatus: inst"})
    done = run("sbom", image, *[each for name in FORMATS for each in ("-o", f"{name}={tmp_path / name}")])
    assert done.code == 4
    for name in FORMATS:
        again = run("sbom", tmp_path / name, "-o", "purls")
        assert again.code == 4, name
        assert "var/lib/dpkg/status: damaged" in again.err


@pytest.mark.parametrize("what", ["settled", "open", "rootfs"])
def test_files_that_are_no_image_are_none_in_their_sbom_either(what: str, run: Run, tmp_path: Path) -> None:
    """What is asked for in a directory of sources stays open, and no configuration is missed that never was."""
    if what == "rootfs":
        files = tmp_path / "rootfs.tar"
        files.write_bytes(layer(DEB))
    else:
        files = tmp_path / "sources"
        files.mkdir()
        (files / "requirements.txt").write_text("Jinja2==3.1.2\n")
        if what == "open":
            (files / "Gemfile").write_text("gem 'rake'\n")
    source = f"{'rootfs' if what == 'rootfs' else 'dir'}:{files}"
    feeds(run, tmp_path)
    policy = tmp_path / "policy.yaml"
    policy.write_text(
        'id: x\nversion: "1_0"\npolicies:\n- id: p\n  version: "1_0"\n  rules:\n'
        "  - {gate: dockerfile, trigger: effective_user, action: STOP, params: {users: root, type: denylist}}\n"
    )

    def scanned(name: str) -> tuple[int, object, list[tuple[str, bool]]]:
        done = run("scan", name, "-p", policy, "-o", "json")
        said = done.json["coverage"]["problems"]
        return (done.code, findings(done.json),
                [(each["message"], each["incomplete"]) for each in said if each["subject"] != "SBOM"])  # fmt: skip

    outputs = [argument for name in FORMATS for argument in ("-o", f"{name}={tmp_path / name}")]
    run("sbom", source, *outputs)
    expected = scanned(source)
    assert expected[0] == (4 if what == "open" else 0) and expected[1]
    assert any("has no image configuration" in message for message, _ in expected[2])
    for name in FORMATS:
        assert scanned(f"sbom:{tmp_path / name}") == expected, name
    run("sbom", f"sbom:{tmp_path / 'spdx-json'}", "-o", f"cyclonedx-json={tmp_path / 'again'}")
    assert scanned(f"sbom:{tmp_path / 'again'}")[0] == expected[0]


def test_bytes_are_the_same_whenever_they_are_written(run: Run, tmp_path: Path) -> None:
    image = archive(tmp_path / "image.tar", DEB, languages())
    env = {"SOURCE_DATE_EPOCH": "1700000000"}
    for name in FORMATS:
        first = run("sbom", image, "-o", name, env=env)
        assert run("sbom", image, "-o", name, "--force", env=env).out == first.out
        assert ("2023-11-14" in first.out) is (name != "syft-json")


@pytest.mark.parametrize(
    ("content", "said"),
    [('{"a": 1}', "JSON, but no SBOM"), ("<a/>", "no CycloneDX document"), ("", "is not an SBOM"), ("{", "damaged")],
)
def test_what_is_no_sbom_is_refused(content: str, said: str, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "bom.json"
    path.write_text(content)
    done = run("scan", f"sbom:{path}")
    assert done.code == 3
    assert said in done.err
    assert "next:" in done.err


def test_paths_that_are_none(run: Run, tmp_path: Path) -> None:
    assert run("scan", "sbom:/no/such/file").code == 3
    done = run("scan", f"sbom:{tmp_path}")
    assert done.code == 2
    assert f"dir:{tmp_path}" in done.err
    assert run("scan", "sbom:").code == 2


def test_evaluations_of_an_sbom_are_kept(run: Run, tmp_path: Path) -> None:
    image = archive(tmp_path / "image.tar", DEB)
    run("sbom", image, "-o", f"cyclonedx-json={tmp_path / 'bom'}")
    feeds(run, tmp_path)
    assert run("scan", f"sbom:{tmp_path / 'bom'}", "--fail-on", "high").code == 1
    (kept,) = run("history", "--json").json
    assert str(tmp_path / "bom") in kept.values()
    shown = run("history", "show", kept["id"], "-o", "json")
    assert findings(shown.json)
    assert shown.json["image"]["transport"] == "sbom"


def test_what_has_no_version_is_not_called_clean(run: Run, tmp_path: Path) -> None:
    feeds(run, tmp_path)
    component = {"type": "library", "name": "rack", "purl": "pkg:gem/rack"}
    (tmp_path / "bom").write_text(
        json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.5", "components": [component]})
    )
    done = run("scan", f"sbom:{tmp_path / 'bom'}", "--fail-on", "critical", "-o", "json")
    (found,) = done.json["matches"]
    assert found["verdict"] == "unknown"
    assert "without a version" in json.dumps(done.json["coverage"])
