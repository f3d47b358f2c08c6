"""Gate ``secret_scans``: files with what looks like a credential."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from anchorecli.model import Demand, Problem
from anchorecli.policy.base import Evidence, Fire, Parameter, Trigger
from anchorecli.policy.facts.gathered import lines, not_gathered, searched
from anchorecli.policy.facts.ignored import ignore_fault, ignore_parameter, ignored
from anchorecli.policy.facts.packaged import meant, packaged_parameter
from anchorecli.policy.language.parameters import Arguments, split_list

_NAME = "secret_scans.content_regex_checks"
_NO_FILE = "image config: "
"""With this begins what stands for a path where a secret lies in the image's configuration."""


def _checks(evidence: Evidence, arguments: Arguments) -> Iterator[Fire | Problem]:
    rules = _rules(evidence)
    if rules is None:
        yield not_gathered(_NAME, arguments, "secrets")
        return
    chosen, unknown = _chosen(rules, arguments)
    if unknown:
        hint = "Names: " + ", ".join(rules) + "."
        yield not_gathered(_NAME, arguments, f"secrets of the rules {', '.join(unknown)}", hint)
    owned = meant(arguments)
    found = sorted(
        {
            (_shown(secret.path), secret.rule)
            for secret in evidence.analysis.secrets
            if secret.rule in chosen and bool(secret.owner) in owned
        }
    )
    found = _in_files(found, arguments)
    if arguments.text("match_type") == "found":
        for path, rule in found:
            said = f"Secret content search analyzer found regexp match in container: file={path} regexp="
            # Its name says it; the expression itself may take lines, and says it to nobody in a hurry.
            yield Fire(said + rule.partition("=")[0], stable=said + rules[rule], path=path)
    elif not found and not unknown:
        where, what = arguments.text("filename_regex") or "*", arguments.text("content_regex_name") or "all"
        yield Fire(
            "Secret content search analyzer did not find regexp match in container: "
            f"filename_regex={where} content_regex_name={what}"
        )


def _removed(evidence: Evidence, arguments: Arguments) -> Iterator[Fire | Problem]:
    rules = _rules(evidence)
    if rules is None:
        yield not_gathered("secret_scans.removed_file_checks", arguments, "secrets")
        return
    secrets = evidence.analysis.removed_secrets
    found = sorted({(_shown(secret.path), secret.rule, secret.layer) for secret in secrets})
    passed = ignored(arguments, list({path for path, _, _ in found}), "ignore_path")
    for path, rule, layer in found:
        if path not in passed:
            short = layer.removeprefix("sha256:")[:12]
            yield Fire(
                f"Secret found in a file that a later layer removed or replaced: file={path} rule={rule} layer={short}",
                path=path,
            )


def _shown(path: str) -> str:
    return path if path.startswith(_NO_FILE) else f"/{path}"


def _rules(evidence: Evidence) -> Mapping[str, str] | None:
    """Rule name → ``NAME=REGEX``, of all that was looked for; None where nothing was."""
    written = lines(evidence, "secrets")
    if written is None:
        return None
    found = {secret.rule: secret.rule for secret in evidence.analysis.secrets}
    return found | {line.partition("=")[0]: line for line in written}


def _chosen(rules: Mapping[str, str], arguments: Arguments) -> tuple[frozenset[str], list[str]]:
    """The names of the rules that count, and the names that mean no rule."""
    given = arguments.text("content_regex_name")
    if not given:
        return frozenset(rules), []
    if arguments.compat:
        return frozenset(name for name, rule in rules.items() if name in given or _regex(rule) in given), []
    names = {key: name for name, rule in rules.items() for key in (_regex(rule), rule)} | {name: name for name in rules}
    wanted = (given,) if given in names else split_list(given)
    return frozenset(names[word] for word in wanted if word in names), [word for word in wanted if word not in names]


def _regex(rule: str) -> str:
    return rule.partition("=")[2] or rule


def _in_files(found: list[tuple[str, str]], arguments: Arguments) -> list[tuple[str, str]]:
    """Those in files that the rule is about."""
    paths = list(dict.fromkeys(path for path, _ in found))
    pattern = arguments.pattern("filename_regex")
    if pattern is not None:
        paths = pattern.select(paths)
    kept = set(paths) - ignored(arguments, paths, "ignore_path")
    return [(path, rule) for path, rule in found if path in kept]


def _fault(arguments: Arguments) -> str:
    return ignore_fault(arguments, "ignore_path")


def _demand(_arguments: Arguments) -> Demand:
    return Demand(secrets=True)


def _looked_at(evidence: Evidence, _arguments: Arguments) -> str:
    return searched(evidence, "secrets", "secret rule")


_TRIGGERS = (
    Trigger(
        "content_regex_checks",
        "A file holds what looks like a credential, or no file does. Fires for each file and secret rule.",
        _checks,
        (
            Parameter(
                "content_regex_name",
                "string",
                "Only these secret rules: names, comma separated; all by default.",
                example="AWS_ACCESS_KEY,PRIV_KEY",
            ),
            Parameter(
                "filename_regex",
                "regex",
                "Only files whose path matches.",
                example="/etc/.*",
            ),
            Parameter(
                "match_type",
                "enum",
                "found: fire for each secret; notfound: fire where there is none.",
                default="found",
                allowed=("notfound", "found"),
            ),
            packaged_parameter(),
            ignore_parameter("ignore_path", "/usr/share/doc/.*"),
        ),
        notes="Secrets in the image's configuration count too: image config: Env, Labels or history stands for their "
        "path. A name means the rule of that name. The original takes every rule whose name is a piece of the "
        "parameter, which compat: anchore-engine restores; a name nobody knows makes the evidence incomplete. "
        "The message names the rule and leaves its expression away; ids are the original's. The parameters ignore_path "
        "and packaged are new.",
        check=_fault,
        demands=_demand,
        looks_at=_looked_at,
    ),
    Trigger(
        "removed_file_checks",
        "A file that a later layer removed or replaced holds what looks like a credential: it still ships, and whoever "
        "has the image can read it. Fires for each file, secret rule and layer.",
        _removed,
        (ignore_parameter("ignore_path", "/usr/share/doc/.*"),),
        notes="New here.",
        check=_fault,
        demands=_demand,
        looks_at=_looked_at,
    ),
)


class SecretScansGate(NamedTuple):
    """What looks like a credential."""

    name: str = "secret_scans"
    description: str = "Files that hold what looks like a password, a key or a token."
    triggers: tuple[Trigger, ...] = _TRIGGERS
