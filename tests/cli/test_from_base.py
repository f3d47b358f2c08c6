"""Which packages the base image brought, in the JSON report."""

from __future__ import annotations

from pathlib import Path

from tests.builders import docker_archive, layer
from tests.cli.conftest import Run

RELEASE = 'ID=debian\nVERSION_ID="12"\n'


def status(*names: str) -> str:
    return "".join(
        f"Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1-1\n\n" for name in names
    )


def test_packages_say_whether_the_base_image_brought_them(run: Run, tmp_path: Path) -> None:
    below = layer({"etc/os-release": RELEASE, "var/lib/dpkg/status": status("bash")})
    above = layer({"var/lib/dpkg/status": status("bash", "curl")})
    base = docker_archive(tmp_path / "base.tar", [below], tags=["base:1"])
    image = docker_archive(tmp_path / "image.tar", [below, above], tags=["image:1"])
    run("sbom", base, "-o", "purls")
    known = run("scan", image, "--offline", "--base", "base:1", "-o", "json").json["packages"]
    assert {each["name"]: each["from_base"] for each in known} == {"bash": True, "curl": False}
    for name in ("missing:1", "image:1"):
        done = run("scan", image, "--offline", "--base", name, "-o", "json").json
        (said,) = [each for each in done["coverage"]["problems"] if each["subject"] == f"base image {name}"]
        assert "which packages it brought is not known" in said["message"]
        assert not said["incomplete"]
    unknown = run("scan", image, "--offline", "-o", "json").json["packages"]
    assert [each for each in unknown if "from_base" in each] == []
