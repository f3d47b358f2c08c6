"""The main job from the outside: exit codes, what is printed where, what is kept."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from tests.builders import Entry, config, docker_archive, layer, link, oci_archive, oci_dir
from tests.cli.conftest import Run
from tests.cli.world import OPENSSL, archive, debian, osv_record, osv_zip, tracker

PACKAGES = ("libssl3=3.0.11-1~deb12u1<openssl", "openssl=3.0.11-1~deb12u1")
FRESH = "2024-06-01T00:00:00Z"


@pytest.fixture
def image(tmp_path: Path) -> Path:
    return archive(tmp_path / "image.tar", debian(*PACKAGES), {"srv/hello": "x"})


@pytest.fixture
def synced(tmp_path: Path, run: Run) -> Run:
    assert run("feeds", "sync", "debian", "--from", tracker(tmp_path / "tracker.json", OPENSSL)).code == 0
    return run


def test_a_vulnerable_image_fails_with_exit_1_and_says_what_to_do(synced: Run, image: Path) -> None:
    done = synced("scan", image)
    assert done.code == 1
    assert "CVE-2024-1001" in done.out
    assert "3.0.13-1~deb12u1" in done.out
    assert "CVE-2023-9999" not in done.out
    assert "FAIL" in done.out


def test_a_fixed_image_passes_with_exit_0(synced: Run, tmp_path: Path) -> None:
    fixed = archive(tmp_path / "fixed.tar", debian("openssl=3.0.13-1~deb12u1"))
    done = synced("scan", fixed, "--fail-on", "high")
    assert done.code == 0, done.out
    assert "PASS" in done.out


def test_without_a_real_feed_the_answer_is_indeterminate_never_clean(run: Run, image: Path) -> None:
    done = run("scan", image)
    assert done.code == 4
    assert "INDETERMINATE" in done.out
    assert "feeds sync" in done.out
    assert "PASS" not in done.out


def test_a_distribution_no_feed_covers_is_indeterminate(synced: Run, tmp_path: Path) -> None:
    files = debian("openssl=1.1.0l-1~deb9u1") | {"etc/os-release": "ID=debian\nVERSION_ID=9\n"}
    done = synced("scan", archive(tmp_path / "old.tar", files))
    assert done.code == 4
    assert "debian:9" in done.out


def test_json_has_the_parts_of_the_design_and_names_layer_and_instruction(synced: Run, image: Path) -> None:
    done = synced("scan", image, "-o", "json")
    assert done.code == 1
    report = done.json
    assert report["distro"]["id"] == "debian"
    assert {package["purl"] for package in report["packages"]} == {
        "pkg:deb/debian/libssl3@3.0.11-1~deb12u1?arch=amd64&distro=debian-12&upstream=openssl",
        "pkg:deb/debian/openssl@3.0.11-1~deb12u1?arch=amd64&distro=debian-12",
    }
    ids = {(match["id"], match["package"]["name"]) for match in report["matches"]}
    assert ("CVE-2024-1001", "libssl3") in ids
    assert report["verdict"]["status"] == "fail"
    layer_ = report["image"]["layers"][0]
    assert report["matches"][0]["layer"] == {"index": 0, "diff_id": layer_["diff_id"], "instruction": "RUN step 1"}
    assert report["feeds"][0]["name"] == "debian"
    assert report["coverage"]["problems"] == []


def test_equal_evaluations_render_to_equal_bytes(synced: Run, image: Path) -> None:
    env = {"SOURCE_DATE_EPOCH": "1717200000"}
    first = synced("scan", image, "-o", "json", env=env)
    assert synced("scan", image, "-o", "json", env=env).out == first.out
    assert synced("scan", image, "--force", "-o", "json", env=env).out == first.out


def test_several_outputs_at_once_and_only_results_on_stdout(synced: Run, image: Path, tmp_path: Path) -> None:
    target = tmp_path / "out" / "report.json"
    target.parent.mkdir()
    done = synced("scan", image, "-o", f"json={target}", "-o", "table")
    assert json.loads(target.read_text())["verdict"]["status"] == "fail"
    assert done.out.startswith(str(image))
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("-o", "jsn"), "did you mean json?"),
        (("-o", "json", "-o", "table"), "two outputs"),
        (("-o", "json=/nonexistent/x"), "cannot be written"),
        (("--fail-on", "hihg"), "severity"),
        (("--platform", "linux"), "platform"),
        (("--policy", "missing.yaml"), "missing.yaml"),
        (("--polcy", "x"), "--policy"),
    ],
)
def test_wrong_use_is_exit_2_with_a_hint(synced: Run, image: Path, args: tuple[str, ...], message: str) -> None:
    done = synced("scan", image, *args)
    assert done.code == 2
    assert message in done.err
    assert not done.out


def test_a_malformed_bundle_is_exit_2_with_file_and_line_and_nothing_is_evaluated(
    synced: Run, image: Path, tmp_path: Path
) -> None:
    bundle = tmp_path / "bundle.yaml"
    bundle.write_text(
        "id: x\nversion: '1_0'\npolicies:\n  - id: p\n    version: '1_0'\n    rules:\n"
        "      - {id: r, gate: vulnerabilities, trigger: pakage, action: STOP, params: {package_type: all}}\n"
        "mappings: []\nwhitelists: []\n"
    )
    done = synced("scan", image, "--policy", bundle)
    assert done.code == 2
    assert f"{bundle}:7" in done.err
    assert "package" in done.err
    assert "no evaluations" in synced("history").err


def test_an_own_bundle_decides(synced: Run, image: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.yaml"
    bundle.write_text("""
id: mine
version: "1_0"
policies:
  - id: p
    version: "1_0"
    rules:
      - {id: r1, gate: packages, trigger: blacklist, action: STOP, params: {name: openssl}}
      - id: r2
        gate: vulnerabilities
        trigger: package
        action: STOP
        params: {package_type: all, severity: high, severity_comparison: ">="}
whitelists:
  - id: w
    version: "1_0"
    items: [{id: i, gate: vulnerabilities, trigger_id: "CVE-2024-1001+*"}]
mappings:
  - {id: m, name: all, registry: "*", repository: "*", image: {type: tag, value: "*"}, policy_id: p, whitelist_ids: [w]}
""")
    done = synced("scan", image, "--policy", bundle, "-o", "json")
    assert done.code == 1
    findings = {finding["trigger_id"]: finding for finding in done.json["verdict"]["findings"]}
    assert findings["CVE-2024-1001+openssl"]["allowed_by"] == "i"
    assert any(finding["message"] == "Package is blacklisted: openssl" for finding in findings.values())


def test_language_packages_need_their_own_feed(synced: Run, tmp_path: Path) -> None:
    site = "usr/local/lib/python3.11/site-packages/"
    files = debian("openssl=3.0.13-1~deb12u1") | {
        f"{site}jinja2-3.1.2.dist-info/METADATA": "Metadata-Version: 2.1\nName: Jinja2\nVersion: 3.1.2\n",
    }
    image = archive(tmp_path / "py.tar", files)
    assert synced("scan", image).code == 4
    feed = osv_zip(tmp_path / "all.zip", osv_record("GHSA-1", "PyPI", "jinja2", "3.1.3", aliases=["CVE-2024-22195"]))
    assert synced("feeds", "sync", "osv:PyPI", "--from", feed).code == 0
    done = synced("scan", image, "-o", "json")
    assert done.code == 0, done.out
    found = {match["id"]: match for match in done.json["matches"]}
    assert sorted(found) == ["CVE-2024-1002", "CVE-2024-22195"]
    assert found["CVE-2024-22195"]["fixed_in"] == ["3.1.3"]


def test_a_damaged_package_database_is_shown_and_makes_the_verdict_indeterminate(synced: Run, tmp_path: Path) -> None:
    status = debian("openssl=3.0.13-1~deb12u1")["var/lib/dpkg/status"]
    damaged = f"{status}\nPackage: half\x00\xff\n"
    done = synced("scan", archive(tmp_path / "bad.tar", debian() | {"var/lib/dpkg/status": damaged}))
    assert done.code == 4
    assert "var/lib/dpkg/status" in done.out


@pytest.mark.parametrize("make", ["oci_archive", "oci_dir", "dir", "zstd"])
def test_every_local_kind_is_recognised_by_its_content(synced: Run, tmp_path: Path, make: str) -> None:
    files = debian(*PACKAGES)
    target = tmp_path / "image"
    if make == "dir":
        for name, data in files.items():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).write_text(str(data))
    else:
        build = oci_dir if make == "oci_dir" else oci_archive
        build(target, [layer(files)], compress="zstd" if make == "zstd" else "gzip")
    done = synced("scan", target, "-o", "json")
    assert done.code == 1, done.err
    assert len(done.json["packages"]) == 2


def test_a_known_layer_is_not_read_again(synced: Run, tmp_path: Path) -> None:
    base, top = layer(debian(*PACKAGES)), layer({"srv/app": "x"})
    assert synced("scan", docker_archive(tmp_path / "a.tar", [base])).code == 1
    # The same layer in another image, with bytes that no longer are what they claim: reading it would be an error.
    other = docker_archive(tmp_path / "b.tar", [bytes(len(base)), top], config([base, top]))
    done = synced("scan", other, "-o", "json")
    assert done.code == 1, done.err
    assert len(done.json["packages"]) == 2
    assert synced("scan", other, "--force").code == 3


def test_history_and_images_show_what_was_kept(synced: Run, image: Path) -> None:
    first = synced("scan", image, env={"COLUMNS": "80"})
    listed = synced("images", "list", "--json").json
    assert listed[0]["distro"] == "debian 12"
    rows = synced("history", "--json").json
    assert (rows[0]["status"], rows[0]["matches"]) == ("fail", 4)
    assert f"{rows[0]['vulnerabilities']} vulnerabilities in " in first.out
    again = synced("history", "show", str(rows[0]["id"]))
    assert again.out == first.out
    shown = synced("images", "show", listed[0]["id"][:19]).json
    assert shown["config"]["os"] == "linux"
    assert synced("images", "remove", listed[0]["id"]).code == 0
    assert synced("images", "list", "--json").json == []
    assert "removed" in synced("store", "gc", "--keep", "0").out


def test_contents_come_from_the_store_with_digests_when_they_were_asked_for(synced: Run, tmp_path: Path) -> None:
    image = archive(
        tmp_path / "c.tar", debian(*PACKAGES) | {"bin/su": Entry(b"x" * 70_000, mode=0o4755)}, {"l": link("t")}
    )
    assert synced("scan", image).code == 1
    identity = synced("images", "list", "--json").json[0]["id"]
    packages = synced("images", "contents", identity, "--json").json
    assert [package["name"] for package in packages] == ["libssl3", "openssl"]
    files = {file["path"]: file for file in synced("images", "contents", identity, "--files", "--json").json}
    assert (files["bin/su"]["mode"], files["bin/su"]["size"], files["bin/su"]["sha256"]) == ("4755", 70_000, "")
    assert (files["l"]["kind"], files["l"]["target"], files["l"]["layer"]) == ("symlink", "t", 1)
    assert synced("scan", image, "--file-digests").code == 1
    files = {file["path"]: file for file in synced("images", "contents", identity, "--files", "--json").json}
    assert files["bin/su"]["sha256"] == hashlib.sha256(b"x" * 70_000).hexdigest()
    assert files["var/lib/dpkg/status"]["sha256"]
    assert "-rwsr-xr-x" in synced("images", "contents", identity, "--files").out


def test_quiet_and_pipes(synced: Run, image: Path) -> None:
    done = synced("-q", "scan", image, "-o", "json")
    assert done.err == ""


def test_an_unwritable_store_is_exit_2_with_its_path(run: Run, image: Path, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        blocker = tmp_path / "file"
        blocker.write_text("")
        path = blocker / "store.db"
    else:
        (tmp_path / "locked").mkdir(mode=0o500)
        path = tmp_path / "locked" / "store.db"
    done = run("--store", path, "scan", image)
    assert done.code == 2
    assert str(tmp_path) in done.err


def test_a_full_disk_is_told(run: Run, image: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    done = run("scan", image, "-o", "json=/dev/full")
    assert done.code == 2
    assert "/dev/full" in done.err


def test_a_report_into_a_directory_that_is_missing_says_how_to_make_it(run: Run, image: Path, tmp_path: Path) -> None:
    done = run("scan", image, "-o", f"json={tmp_path}/no dir/report.json")
    assert done.code == 2
    assert f"next: make its directory first: mkdir -p '{tmp_path}/no dir'" in done.err
    bundle = run("policy", "init", tmp_path / "none" / "policy.yaml")
    assert (bundle.code, f"mkdir -p {tmp_path}/none" in bundle.err) == (2, True)
