"""Files that are wanted under the name of a hard link are read under it, whichever name the tar has first."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations
from pathlib import Path

import pytest

from anchorecli.analyzers import hardlinks
from anchorecli.model import Analysis
from anchorecli.scan import analysis, reading
from anchorecli.store import open_store
from tests.analyzers.binary import executables
from tests.builders import Entry, hardlink
from tests.cli.world import archive
from tests.source.opening import opened

BUSYBOX = Entry(executables.elf({".rodata": bytes(range(256)) * 3000 + b"\0BusyBox v1.36.1 (2024)\0"}), mode=0o755)
STATUS = "Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.2-1\n\n"


def analyzed(tmp_path: Path, *layers: Mapping[str, bytes | str | Entry]) -> Analysis:
    image = archive(tmp_path / "image.tar", *layers)
    with opened(image) as source, open_store(tmp_path / "store") as store:
        return analysis.analyze(source, store, analysis.AnalyzeOptions(now="2024-01-01T00:00:00Z"))


@pytest.mark.parametrize("names", list(permutations(["bin/[", "bin/busybox", "bin/sh"])))
def test_a_program_is_found_under_whichever_of_its_names_comes_first(names: tuple[str, ...], tmp_path: Path) -> None:
    first, *others = names
    found = analyzed(tmp_path, {first: BUSYBOX, **{name: hardlink(first) for name in others}})
    assert [(each.purl, each.locations[0].path) for each in found.packages] == [
        ("pkg:generic/busybox@1.36.1", "bin/busybox")
    ]
    assert found.distro is not None and found.distro.id == "busybox"
    assert [each for each in found.problems if each.incomplete or each.subject == "programs"] == []


def test_a_database_is_read_under_the_name_that_makes_it_one(tmp_path: Path) -> None:
    link = {"backup/everything": STATUS, "var/lib/dpkg/status": hardlink("backup/everything")}
    found = analyzed(tmp_path, link)
    assert [(each.name, each.locations[0].path) for each in found.packages] == [("bash", "var/lib/dpkg/status")]
    assert not [each for each in found.problems if "hard link" in each.message]


def test_of_a_layer_without_such_links_nothing_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[object] = []
    read_layer = reading.read_layer
    monkeypatch.setattr(reading, "read_layer", lambda *a: read.append(a) or read_layer(*a))
    python = Entry(executables.elf({".rodata": bytes(700_000) + b"\x003.11.2\0"}), mode=0o755)
    large = Entry(executables.elf({".rodata": bytes(700_000)}), mode=0o755)
    files = {
        "usr/bin/python3.11": python,
        "usr/bin/python3": hardlink("usr/bin/python3.11"),
        "sbin/mke2fs": large,
        "sbin/mkfs.ext2": hardlink("sbin/mke2fs"),
        "etc/one": "x",
        "etc/two": hardlink("etc/one"),
    }
    found = analyzed(tmp_path, files)
    assert [each.name for each in found.packages] == ["python"]
    assert len(read) == 1


@pytest.mark.parametrize(("names", "size"), [(1, 1 << 40), (10, len(STATUS))])
def test_what_is_over_the_bound_stays_a_link_to_what_was_not_read(
    names: int, size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hardlinks, "MOST_NAMES", names)
    monkeypatch.setattr(hardlinks, "MOST_BYTES", size)
    found = analyzed(
        tmp_path,
        {
            "backup": STATUS,
            "var/lib/dpkg/status": hardlink("backup"),
            "srv/a/var/lib/dpkg/status": hardlink("backup"),
        },
    )
    assert len({each.locations[0].path for each in found.packages}) == 1
    assert [each.message for each in found.problems if "hard link" in each.message] == [
        "a hard link to backup, which was not read"
    ]
