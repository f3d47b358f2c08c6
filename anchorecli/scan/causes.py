"""The causes of differences in words: which package, which advisory, which rule, which exception."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from anchorecli.model import Allow, Finding, Image, Json, Match, Package, Rule
from anchorecli.policy.values import Bundle
from anchorecli.scan.difference import (
    BUNDLE,
    EXCEPTION,
    FEED,
    IMAGE,
    SCANNER,
    TIME,
    Change,
    Difference,
    Side,
    read_otherwise,
)
from anchorecli.store import AdvisoryVersion, Store
from anchorecli.values import fields


class Cause(NamedTuple):
    """One cause of one difference; ``data`` is the same for programs."""

    kind: str
    detail: str
    data: Mapping[str, Json]


class Explained(NamedTuple):
    """Every change with its causes."""

    matches: tuple[tuple[Change[Match], tuple[Cause, ...]], ...]
    findings: tuple[tuple[Change[Finding], tuple[Cause, ...]], ...]


def explain(store: Store, difference: Difference) -> Explained:
    """The causes of every change in words."""
    words = _Words(store, difference)
    return Explained(
        tuple((change, words.of_match(change)) for change in difference.matches),
        tuple((change, words.of_finding(change)) for change in difference.findings),
    )


def package_changes(before: Iterable[Package], after: Iterable[Package]) -> dict[str, list[dict[str, Json]]]:
    """The packages that came, went, or are there in other versions."""
    old, new = _versions(before), _versions(after)

    def row(key: tuple[str, str, str], **versions: list[str]) -> dict[str, Json]:
        return {"type": key[0], "name": key[1], "arch": key[2], **versions}

    return {
        "added": [row(key, versions=new[key]) for key in sorted(new.keys() - old.keys())],
        "removed": [row(key, versions=old[key]) for key in sorted(old.keys() - new.keys())],
        "changed": [
            row(key, before=old[key], after=new[key]) for key in sorted(old.keys() & new.keys()) if old[key] != new[key]
        ],
    }


def _versions(packages: Iterable[Package]) -> dict[tuple[str, str, str], list[str]]:
    found: dict[tuple[str, str, str], set[str]] = {}
    for each in packages:
        found.setdefault((each.type, each.name, each.arch), set()).add(each.version)
    return {key: sorted(versions) for key, versions in found.items()}


class _About(NamedTuple):
    """A change, and the matches before and after that it is about or rests on."""

    change: Change[Any]
    old: Match | None
    new: Match | None

    @property
    def names(self) -> set[str]:
        """The advisories that may have caused it."""
        if FEED not in self.change.causes:
            return set()
        return {name for each in (self.old, self.new) if each for name in (each.id, each.advisory, *each.aliases)}


class _Words:
    """Looks up what the causes are about, once for all changes."""

    def __init__(self, store: Store, difference: Difference) -> None:
        self._sides = difference.before, difference.after
        self._packages = tuple(_by_name(side.inputs.analysis.packages) for side in self._sides)
        self._matches = tuple(_by_vulnerability(side.report.matches) for side in self._sides)
        about = (*map(self._match, difference.matches), *map(self._finding, difference.findings))
        names = {name for each in about for name in each.names}
        self._versions: dict[str, list[AdvisoryVersion]] = {}
        for version in store.advisory_versions(names) if names else ():
            self._versions.setdefault(version.name, []).append(version)

    def of_match(self, change: Change[Match]) -> tuple[Cause, ...]:
        """The causes of a vulnerability's change."""
        return self._causes(self._match(change))

    def of_finding(self, change: Change[Finding]) -> tuple[Cause, ...]:
        """The causes of a finding's change."""
        if change.causes == (TIME,) and _allowed_by(change) != ("", ""):
            return (self._exception(self._finding(change)),)
        return self._causes(self._finding(change))

    def _causes(self, about: _About) -> tuple[Cause, ...]:
        tell = {
            IMAGE: self._image,
            FEED: self._feed,
            BUNDLE: self._rule,
            EXCEPTION: self._exception,
            TIME: self._time,
            SCANNER: self._scanner,
        }
        return tuple(tell[kind](about) for kind in about.change.causes)

    def _match(self, change: Change[Match]) -> _About:
        return _About(change, change.before, change.after)

    def _finding(self, change: Change[Finding]) -> _About:
        """With the matches it rests on: of its vulnerability, in the package its trigger id names."""
        found: list[Match | None] = []
        for item, known in zip((change.before, change.after), self._matches, strict=True):
            finding = item or change.item
            fitting = known.get(finding.match_id, [])
            named = [each for each in fitting if finding.trigger_id.endswith(f"+{each.package.name}")]
            # Where there is no such finding, a match in another package is not what it would rest on.
            found.append(next(iter(named or (fitting if item else ())), None))
        return _About(change, *found)

    # ── image ───────────────────────────────────────────────────────────────────────────────────────────────

    def _image(self, about: _About) -> Cause:
        match = about.new or about.old
        package = match.package if match else None
        if package is None:
            return Cause(IMAGE, "what is in the image, or its configuration", {})
        key = package.type, package.name, package.arch
        before, after = (packages.get(key, []) for packages in self._packages)
        versions = [sorted({each.version for each in side}) for side in (before, after)]
        place = self._layer(after[0] if after else before[0], self._sides[1 if after else 0])
        data = {"package": package.name, "type": package.type, "before": versions[0], "after": versions[1], **place}
        named = f"package {package.name}"
        where = f" in layer {place['layer']} ({place['instruction'] or 'no instruction'})" if place else ""
        if not before:
            return Cause(IMAGE, f"{named} {', '.join(versions[1])} added{where}", data)
        if not after:
            return Cause(IMAGE, f"{named} {', '.join(versions[0])} removed", data)
        if versions[0] != versions[1]:
            return Cause(IMAGE, f"{named} {', '.join(versions[0])} is now {', '.join(versions[1])}{where}", data)
        return Cause(IMAGE, f"{named} {', '.join(versions[1])}, or the distribution it is judged by", data)

    def _layer(self, package: Package, side: Side) -> dict[str, Json]:
        image: Image = side.inputs.analysis.image
        for index, layer in enumerate(image.layers):
            if layer.diff_id == package.layer:
                return {"layer": index, "diff_id": layer.diff_id, "instruction": layer.instruction}
        return {}

    # ── feed ────────────────────────────────────────────────────────────────────────────────────────────────

    def _feed(self, about: _About) -> Cause:
        revisions = tuple(side.report.feed_revision for side in self._sides)
        told = [
            cause
            for name in sorted(about.names)
            for feed in sorted({each.feed for each in self._versions.get(name, ())})
            if (cause := _advisory_change(name, feed, self._versions[name], revisions)) is not None
        ]
        if told:
            lead = next(each.id for each in (about.new, about.old) if each)
            told.sort(key=lambda each: (each.data["advisory"] != lead, str(each.data["advisory"])))
            return told[0]
        data = {"before": revisions[0], "after": revisions[1]}
        return Cause(FEED, f"the feeds: revision {revisions[0]} then, {revisions[1]} now", data)

    # ── policy ──────────────────────────────────────────────────────────────────────────────────────────────

    def _rule(self, about: _About) -> Cause:
        policy, rule = about.change.key[:2]
        old, new = (_rule_of(side.inputs.bundle, policy, rule) for side in self._sides)
        data: dict[str, Json] = {"policy": policy, "rule": rule}
        named = f"rule {rule} of policy {policy}"
        if old is None or new is None:
            return Cause(BUNDLE, f"{named} {'added' if old is None else 'removed'}", data)
        differing = [
            f"{each.name} {_said(getattr(old, each.name))} is now {_said(getattr(new, each.name))}"
            for each in fields(Rule)
            if each.name in ("gate", "trigger", "action", "params")
            and getattr(old, each.name) != getattr(new, each.name)
        ]
        if differing:
            return Cause(BUNDLE, f"{named} changed: {'; '.join(differing)}", data | {"changed": differing})
        return Cause(BUNDLE, f"which policies hold for the image, or in which form ({named} is the same)", data)

    def _exception(self, about: _About) -> Cause:
        was, now = _allowed_by(about.change)
        name = now or was
        old, new = (_item_of(side.inputs.bundle, name) for side in self._sides)
        data: dict[str, Json] = {"item": name}
        if not name:
            vex = sorted({each.name for side in self._sides for each in side.report.vex})
            return Cause(EXCEPTION, f"VEX ({', '.join(vex)})" if vex else "exceptions", data)
        if old is None or new is None:
            return Cause(EXCEPTION, f"exception {name} {'added' if old is None else 'removed'}", data)
        end = new.expires_on
        if was and not now and TIME in about.change.causes and end:
            return Cause(EXCEPTION, f"exception {name} expired at {end}", data | {"expired": end})
        if old != new:
            return Cause(EXCEPTION, f"exception {name} changed", data)
        return Cause(EXCEPTION, f"exception {name} {'holds now' if now else 'does not hold any more'}", data)

    def _time(self, about: _About) -> Cause:
        old, new = (side.inputs.occasion.now for side in self._sides)
        return Cause(TIME, f"the time: {old} then, {new} now", {"before": old, "after": new})

    def _scanner(self, about: _About) -> Cause:
        old, new = (side.report.tool_version for side in self._sides)
        data = {"before": old, "after": new}
        if old != new:
            return Cause(SCANNER, f"anchore {old} then, {new} now", data)
        if changed := read_otherwise(*(side.inputs for side in self._sides)):
            told = ", ".join(f"{name} {then} then, {now} now" for name, (then, now) in sorted(changed.items()))
            return Cause(SCANNER, f"its analyzers read the image otherwise: {told}", data)
        return Cause(SCANNER, "it cannot be made again as it was: something it looked at is not in the store", data)


def _advisory_change(
    name: str, feed: str, versions: Sequence[AdvisoryVersion], revisions: tuple[int, ...]
) -> Cause | None:
    """What became of an advisory between two revisions; None where it is the same."""
    old, new = (
        next((v for v in versions if v.feed == feed and v.valid_from <= r and (not v.valid_to or v.valid_to > r)), None)
        for r in revisions
    )
    if old == new:
        return None
    backwards = revisions[0] > revisions[1]
    data: dict[str, Json] = {"advisory": name, "feed": feed}
    if new is None:
        word, revision, date = "is gone", old.valid_to if old else 0, old.modified if old else ""
    elif old is None:
        word, revision, date = "is new", new.valid_from, new.published or new.modified
    elif new.withdrawn and not old.withdrawn:
        word, revision, date = "was withdrawn", new.valid_from, new.withdrawn
    else:
        word, revision, date = "changed", new.valid_from, new.modified
    if backwards:
        word, revision = "is another in the older feeds", revisions[1]
    dated = f", upstream {date}" if date else ""
    detail = f"advisory {name} of {feed} {word} (revision {revision}{dated})"
    return Cause(FEED, detail, data | {"change": word, "revision": revision, "upstream_date": date})


def _allowed_by(change: Change[Any]) -> tuple[str, str]:
    old, new = (each.allowed_by if isinstance(each, Finding) else "" for each in (change.before, change.after))
    return old, new


def _by_name(packages: Iterable[Package]) -> dict[tuple[str, str, str], list[Package]]:
    found: dict[tuple[str, str, str], list[Package]] = {}
    for each in packages:
        found.setdefault((each.type, each.name, each.arch), []).append(each)
    return found


def _by_vulnerability(matches: Iterable[Match]) -> dict[str, list[Match]]:
    found: dict[str, list[Match]] = {}
    for each in matches:
        found.setdefault(each.id, []).append(each)
    return found


def _rule_of(bundle: Bundle, policy: str, rule: str) -> Rule | None:
    found = (each for one in bundle.policies if one.id == policy for each in one.rules if each.id == rule)
    return next(found, None)


def _item_of(bundle: Bundle, name: str) -> Allow | None:
    return next((item for one in bundle.allowlists for item in one.items if item.id == name), None)


def _said(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={each}" for name, each in sorted(value.items())) or "nothing"
    return str(getattr(value, "label", value))
