"""Every plugin is registered, and every package of the source tree is in the wheel."""

from __future__ import annotations

import importlib
import inspect
import tomllib
from pathlib import Path

import pytest

from anchorecli import feeds, report
from anchorecli.analyzers import ANALYZERS, ON_DEMAND, REGISTERED, load_demanded
from anchorecli.feeds import FEEDS
from anchorecli.notify import CHANNELS
from anchorecli.policy import GATE_CLASSES, GATES
from anchorecli.report import FORMATS

ROOT = Path(__file__).parents[1]

DEMANDED = load_demanded(ON_DEMAND)

# folder → (the registry's values, the method that makes a class one of its plugins)
REGISTRIES = {
    "analyzers": ((*ANALYZERS, *DEMANDED), "assemble"),
    "feeds": (FEEDS, "parse"),
    "policy/gates": (GATES, "triggers"),
    "anchorecli/report": (FORMATS, "render"),
    "anchorecli/notify": (CHANNELS, "send"),
}


def plugin_classes(folder: str, method: str) -> dict[str, type]:
    """The public classes below a folder that have the method, Protocols apart."""
    found = {}
    for path in sorted((ROOT / folder).rglob("*.py")):
        name = "anchorecli." + ".".join(path.relative_to(ROOT).with_suffix("").parts).removeprefix("anchorecli.")
        module = importlib.import_module(name.removesuffix(".__init__"))
        for cls_name, cls in inspect.getmembers(module, inspect.isclass):
            own = cls.__module__ == module.__name__ and not cls_name.startswith("_")
            if own and not getattr(cls, "_is_protocol", False) and (hasattr(cls, method) and hasattr(cls, "name")):
                found[cls_name] = cls
    return found


@pytest.mark.parametrize("folder", REGISTRIES)
def test_every_plugin_is_registered(folder: str) -> None:
    values, method = REGISTRIES[folder]
    registered = {type(value).__name__ for value in values}
    assert set(plugin_classes(folder, method)) == registered


@pytest.mark.parametrize("folder", REGISTRIES)
def test_names_are_unique_and_plain(folder: str) -> None:
    names = [value.name for value in REGISTRIES[folder][0]]
    assert len(set(names)) == len(names)
    assert all(name and name == name.strip() and " " not in name.partition(":")[0] for name in names)


@pytest.mark.parametrize("analyzer", [*ANALYZERS, *DEMANDED], ids=lambda analyzer: analyzer.name)
def test_every_analyzer_has_tests_of_its_own(analyzer: object) -> None:
    module = type(analyzer).__module__.removeprefix("anchorecli.analyzers.").split(".")
    stem = module[1]
    assert list((ROOT / "tests" / "analyzers" / module[0]).glob(f"test_{stem}*.py")), f"no tests for {stem}"


def test_the_registry_says_what_the_analyzers_say_of_themselves() -> None:
    assert [(each.name, each.version, each.options) for each in (*REGISTERED, *ON_DEMAND)] == [
        (analyzer.name, analyzer.version, analyzer.options) for analyzer in (*ANALYZERS, *DEMANDED)
    ]


def test_feeds_and_formats_are_named_as_they_name_themselves() -> None:
    assert [each.name for each in feeds.REGISTERED] == [driver.name for driver in FEEDS]
    assert [(each.name, each.subject) for each in report.REGISTERED] == [(f.name, f.subject) for f in FORMATS]


def test_the_gates_are_named_as_they_name_themselves() -> None:
    assert list(GATE_CLASSES) == [gate.name for gate in GATES]


def test_the_distribution_is_told_first() -> None:
    assert ANALYZERS[0].name == "distro"


def test_every_package_of_the_tree_is_in_the_wheel() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    listed = set(settings["tool"]["setuptools"]["packages"])
    folders = {"anchorecli": ROOT / "anchorecli"} | {
        f"anchorecli.{name}": ROOT / name for name in ("analyzers", "policy", "feeds")
    }
    there = set()
    for name, folder in folders.items():
        for init in folder.rglob("__init__.py"):
            relative = init.parent.relative_to(folder)
            if not any(part in {"__pycache__"} for part in relative.parts):
                there.add(".".join((name, *relative.parts)))
    assert there == listed
