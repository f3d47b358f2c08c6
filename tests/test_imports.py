"""What a command does not load: start-up time is a feature, and each of these libraries takes longer than a re-scan."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.world import OPENSSL, ROOT, archive, debian, tracker

SLOW = (
    "asyncio", "certifi", "cyclonedx", "email", "fastjsonschema", "http", "jsonschema", "logging", "lzma",
    "multiprocessing", "oras", "packageurl", "requests", "rich", "sqlite_utils", "ssl", "subprocess", "tarfile",
    "tempfile", "unittest", "urllib.request", "urllib3", "xml", "yaml", "zipfile",
)  # fmt: skip
PROGRAM = """
import sys
before = set(sys.modules)
from anchorecli.__main__ import run
code = run(sys.argv[1:])
print("loaded", code, *sorted(set(sys.modules) - before))
"""


def loaded(directory: Path, *args: object) -> tuple[int, set[str]]:
    """The exit code of a command, and the modules that it loaded."""
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "HOME": str(directory),
        "XDG_CONFIG_HOME": str(directory),
        "ANCHORE_STORE": str(directory / "store.db"),
    }
    command = [sys.executable, "-c", PROGRAM, *map(str, args)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=env, cwd=directory)
    _, code, *modules = done.stdout.splitlines()[-1].split()
    return int(code), set(modules)


def below(modules: set[str], *packages: str) -> set[str]:
    """Those of the modules that are one of the packages or in it."""
    return {name for name in modules if any(name == each or name.startswith(f"{each}.") for each in packages)}


@pytest.mark.parametrize("args", [("--version",), ("--help",)])
def test_version_and_help_load_click_and_nothing_of_ours(tmp_path: Path, args: tuple[str, ...]) -> None:
    code, modules = loaded(tmp_path, *args)
    assert code == 0
    assert below(modules, "anchorecli") <= {
        "anchorecli",
        "anchorecli.__main__",
        "anchorecli.cli",
        "anchorecli.errors",
    }
    # click itself measures the terminal for a help text with shutil, which brings lzma.
    assert below(modules, *SLOW, "sqlite3", "dataclasses", "json", "hashlib") <= {"lzma"}
    assert "lzma" not in modules or args == ("--help",)


def test_a_scan_of_a_local_archive_loads_no_slow_library(tmp_path: Path) -> None:
    image = archive(tmp_path / "image.tar", debian("openssl=3.0.11-1~deb12u1"))
    assert loaded(tmp_path, "feeds", "sync", "debian", "--from", tracker(tmp_path / "t.json", OPENSSL))[0] == 0
    code, cold = loaded(tmp_path, "scan", image, "-o", "json")
    assert code == 1
    assert below(cold, *SLOW) == set()
    for output in ("json", "table"):
        code, known = loaded(tmp_path, "scan", image, "-o", output)
        assert code == 1
        assert below(known, *SLOW, "backports") == set()
        # Nothing of the network, of other sources, of feeds but what the store gives, and no migration tool.
        others = below(known, "anchorecli.net", "anchorecli.feeds", "anchorecli.notify", "anchorecli.watch")
        assert others == {"anchorecli.feeds"}
        assert below(known, "anchorecli.source.registry", "anchorecli.source.skopeo") == set()


def test_an_sbom_loads_neither_matching_nor_policy_nor_feeds(tmp_path: Path) -> None:
    image = archive(tmp_path / "image.tar", debian("openssl=3.0.11-1~deb12u1"))
    code, modules = loaded(tmp_path, "sbom", image)
    assert code == 0
    assert below(modules, *SLOW) == set()
    others = below(modules, "anchorecli.matching", "anchorecli.policy", "anchorecli.feeds", "anchorecli.versions")
    # The registry of feeds knows the names that a configuration may use.
    assert others == {"anchorecli.feeds"}


def test_what_only_lists_loads_no_analyzer(tmp_path: Path) -> None:
    archive(tmp_path / "image.tar", debian())
    loaded(tmp_path, "scan", tmp_path / "image.tar")
    for args in (("images", "list"), ("history",), ("watch", "list"), ("feeds", "status"), ("store", "info")):
        code, modules = loaded(tmp_path, *args)
        assert code == 0
        assert below(modules, *SLOW) == set(), args
        heavy = ("analyzers", "layers", "matching", "policy", "scan", "source")
        assert below(modules, *(f"anchorecli.{name}" for name in heavy)) == set(), args
