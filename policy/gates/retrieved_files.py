"""Gate ``retrieved_files``: whether files are there, and what their lines say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from anchorecli.model import Demand, Problem
from anchorecli.policy.base import Evidence, Fire, Fires, Parameter, Trigger
from anchorecli.policy.facts.gathered import not_gathered
from anchorecli.policy.facts.retrieved import content, demanded, was_looked_for
from anchorecli.policy.language.parameters import Arguments


def _not_available(evidence: Evidence, arguments: Arguments) -> Fires:
    if content(evidence, arguments.text("path")) is not None:
        return ()
    return (Fire("Cannot locate file in the image analysis"),)


def _content(evidence: Evidence, arguments: Arguments) -> Iterator[Fire | Problem]:
    path, regex, check = (arguments.text(name) for name in ("path", "regex", "check"))
    if not was_looked_for(evidence, path):
        yield not_gathered("retrieved_files.content_regex", arguments, f"the contents of {path}")
        return
    text, pattern = content(evidence, path), arguments.pattern("regex")
    if text is None:
        return
    parts = text.split() if arguments.compat else [line.removesuffix("\r") for line in text.split("\n")]
    found = pattern is None or bool(pattern.select(parts))
    if found is (check == "match"):
        yield Fire(
            f"Content regex '{regex}' check '{check}' found in retrieved file '{path}'",
            f"{arguments.rule_id}+file://{path}",
            path=path,
        )


def _demand(arguments: Arguments) -> Demand:
    return Demand(retrieve=(demanded(arguments.text("path")),))


def _path_fault(arguments: Arguments) -> str:
    path = demanded(arguments.text("path"))
    return "" if path and ".." not in path.split("/") else '"path" must be the path of a file in the image'


def _looked_at(_evidence: Evidence, arguments: Arguments) -> str:
    return arguments.text("path")


_PATH = Parameter("path", "string", "The file's path in the image.", required=True, example="/etc/httpd.conf")

_TRIGGERS = (
    Trigger(
        "content_not_available",
        "A file that must be there is not, or was not looked for.",
        _not_available,
        (_PATH,),
        notes="Fires once; the original twice where nothing at all was retrieved. As there, the trigger id does not "
        "name the path: an allowlist entry for one file is one for all.",
        check=_path_fault,
        demands=_demand,
        looks_at=_looked_at,
    ),
    Trigger(
        "content_regex",
        "A line of a file matches a regular expression, or none does. Silent where the image has no such file.",
        _content,
        (
            _PATH,
            Parameter("regex", "regex", "Applied from the start of each line.", required=True, example=".*password.*"),
            Parameter(
                "check",
                "enum",
                "match: fire where a line matches; no_match: where none does.",
                required=True,
                allowed=("match", "no_match"),
                example="match",
            ),
        ),
        notes="The original applies the expression to each word instead of each line, so that none with a blank can "
        "match; compat: anchore-engine restores that.",
        check=_path_fault,
        demands=_demand,
        looks_at=_looked_at,
    ),
)


class RetrievedFilesGate(NamedTuple):
    """Files kept whole for the policy."""

    name: str = "retrieved_files"
    description: str = "Whether single files are in the image, and what they say."
    triggers: tuple[Trigger, ...] = _TRIGGERS
