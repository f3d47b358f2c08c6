"""What a sample is, and the samples of what holds an image or speaks of one."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from anchorecli.report import formats
from anchorecli.report.base import RenderOptions
from anchorecli.scan.analysis import inventory
from tests import builders
from tests.report import samples as reports
from tests.source.archives import new_docker_save
from tests.vex.documents import openvex, said
from tests.vex.test_reading import csaf
from tests.vex.test_reading import cyclonedx as cyclonedx_vex


class Sample(NamedTuple):
    """One file as an image may hold it. ``ends``: the format tells where it ends, so that a cut does not go unseen."""

    parser: str
    path: str
    data: bytes
    ends: bool = False

    @property
    def id(self) -> str:
        """A name for a test."""
        return f"{self.parser}:{self.path}"


def from_files(parser: str, files: dict[str, str | bytes], *, ends: bool = False) -> list[Sample]:
    """A sample for each file, by its path."""
    made = [(path, data.encode() if isinstance(data, str) else data) for path, data in files.items()]
    return [Sample(parser, path, data, ends) for path, data in made]


def containers() -> list[Sample]:
    """Layers, archives, SBOMs and VEX documents."""
    tar = builders.layer({"etc/os-release": "ID=debian\n", "n" * 120: "long", "lib": builders.link("usr/lib")})
    pax = builders.layer({"a": builders.Entry(b"x", pax={"SCHILY.xattr.user.a": "b", "path": "p" * 150})}, format=1)
    plain = tar.rstrip(b"\0") + bytes(1024)
    made = [Sample("tar", "gnu.tar", plain, True), Sample("tar", "pax.tar", pax.rstrip(b"\0") + bytes(1024), True)]
    made += [Sample("layer", f"layer.tar.{kind}", builders.compressed(plain, kind), True) for kind in ("gzip", "zstd")]
    with TemporaryDirectory() as folder:
        classic = builders.docker_archive(Path(folder) / "classic.tar", [plain])
        new, _ = new_docker_save(Path(folder) / "new.tar", [plain], ["test:1"])
        made += [Sample("archive", path.name, path.read_bytes().rstrip(b"\0") + bytes(1024)) for path in (classic, new)]
    report = inventory(reports.clean_report().analysis, reports.NOW)
    forms = ("cyclonedx-json", "cyclonedx-xml", "spdx-json", "spdx-tv", "syft-json")
    for form in forms:
        data = formats("sbom")[form].render(report, RenderOptions()).encode()
        made.append(Sample("sbom", form, data, form != "spdx-tv"))
    made += [Sample("vex", "a.openvex.json", openvex(said()), True), Sample("vex", "a.csaf.json", csaf(), True)]
    made.append(Sample("vex", "a.cdx.json", cyclonedx_vex({"state": "not_affected"}, "pkg:npm/x@1"), True))
    return made
