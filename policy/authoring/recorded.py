"""A recorded evaluation, read back from its JSON report, as evidence.

Format: the JSON report of this program, version 1 (``report/schema.json``). It holds packages, configuration, matches,
problems and the state of the feeds. Not handled: what it does not hold (the file list, secrets, contents): rules about
those make the verdict indeterminate. An evaluation in the store has all of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from anchorecli.errors import BundleError
from anchorecli.model import (
    Analysis,
    AttachedKind,
    Check,
    Checked,
    Cvss,
    DiffId,
    Digest,
    Distro,
    FeedState,
    FixDating,
    FixState,
    HistoryEntry,
    Image,
    ImageConfig,
    ImagePath,
    ImageRef,
    Layer,
    Location,
    Match,
    MatchVerdict,
    Package,
    Platform,
    Problem,
    Severity,
)
from anchorecli.policy.base import Evidence

_HINT = "Write one with `anchore scan IMAGE -o json=FILE`."
_MAX_BYTES = 1 << 28
_SCHEMES: Mapping[str, str] = {"pypi": "pep440", "golang": "go", "alpm": "pacman"}

_Json = Mapping[str, Any]


def read_recorded(path: str, now: str = "") -> Evidence:
    """The evidence of a report; ``now`` is the clock, that of the report where it is empty. Raises: BundleError."""
    try:
        with Path(path).open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
        document = json.loads(data) if len(data) <= _MAX_BYTES else None
    except OSError as error:
        raise BundleError(f"cannot be read: {error.strerror}", path=path, hint=_HINT) from None
    except (ValueError, RecursionError):
        raise BundleError("is no JSON report", path=path, hint=_HINT) from None
    try:
        return _evidence(document, now)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise BundleError(f"is no JSON report of this program: {error!r}", path=path, hint=_HINT) from None


def _evidence(document: Any, now: str) -> Evidence:
    if not str(document["schema_version"]).startswith("1."):
        raise ValueError(f"schema_version {document['schema_version']}")
    problems = tuple(Problem(**problem) for problem in document["coverage"]["problems"])
    # What the policy of that time could not look at, that of this time asks for itself.
    problems = tuple(problem for problem in problems if problem.stage != "policy")
    packages = {one["id"]: _package(one) for one in document["packages"]}
    feeds = tuple(_feed(feed) for feed in document["feeds"])
    image = _image(document["image"])
    distro = document["distro"]
    analysis = Analysis(
        image,
        _distro(distro) if distro else None,
        tuple(packages.values()),
        problems=problems,
        analyzers=document["evaluation"]["analyzers"],
    )
    found = [*document["matches"], *document["suppressed"]]
    return Evidence(
        analysis,
        image.ref,
        now or document["evaluation"]["created_at"],
        matches=tuple(_match(match, packages) for match in found),
        feeds=feeds,
        problems=problems,
        covered=frozenset(name for feed in feeds if not feed.starter for name in feed.ecosystems),
        # As it was checked then: a bundle that calls the signers by other names does not know them.
        attached=tuple(map(_attached, document["attached"])) if "attached" in document else None,
    )


def _attached(one: _Json) -> Checked:
    known = AttachedKind(one["kind"]), Digest(one["digest"]), Check(one["check"])
    return Checked(*known, one["signer"], one["predicate_type"], one["identity"], one["note"])


def _image(image: _Json) -> Image:
    from anchorecli.reference import parse_reference

    name, transport = image["reference"], image["transport"]
    ref = parse_reference(image["requested"]) if image["requested"] else ImageRef(transport, name, path=name)
    return Image(
        ref,
        Digest(image["id"]),
        Digest(image["digest"]),
        _config(image["config"], image["platform"]),
        tuple(
            Layer(
                DiffId(one["diff_id"]),
                Digest(one["digest"]),
                one["size"],
                one["media_type"],
                one["instruction"],
                one["created"],
            )
            for one in image["layers"]
        ),
        index_digest=Digest(image["index_digest"]),
        names=tuple(image["names"]),
        annotations=image["annotations"],
    )


def _config(config: _Json, platform: str) -> ImageConfig:
    system, architecture, *variant = [*platform.split("/"), ""]
    names = ("env", "cmd", "entrypoint", "exposed_ports", "volumes", "healthcheck")
    lists: dict[str, Any] = {name: tuple(config[name]) for name in names}
    texts = ("created", "author", "user", "working_dir", "stop_signal")
    return ImageConfig(
        Platform(system, architecture, variant[0] if variant else ""),
        **{name: config[name] for name in texts},
        **lists,
        labels=config["labels"],
        history=tuple(HistoryEntry(**entry) for entry in config["history"]),
    )


def _distro(distro: _Json) -> Distro:
    like = tuple(distro["like"])
    return Distro(**{**distro, "like": like, "source": ImagePath(distro["source"])})


def _package(one: _Json) -> Package:
    kind = one["type"]
    lists: dict[str, Any] = {name: tuple(one[name]) for name in ("licenses", "cpes")}
    texts = ("name", "version", "type", "purl", "arch", "source", "source_version", "owner", "vendor", "module")
    return Package(
        scheme=_SCHEMES.get(kind, kind),
        **{name: one[name] for name in texts},
        **lists,
        locations=tuple(Location(ImagePath(place["path"]), DiffId(place["layer"])) for place in one["locations"]),
        layer=DiffId(one["layer"]),
        analyzer=one["analyzer"],
        size=one["size"],
        metadata=one["metadata"],
    )


def _feed(feed: _Json) -> FeedState:
    return FeedState(**{**feed, "ecosystems": tuple(feed["ecosystems"])})


def _match(match: _Json, packages: Mapping[str, Package]) -> Match:
    return Match(
        match["id"],
        packages[match["package"]["id"]],
        advisory=match["advisory"],
        feed=match["feed"],
        verdict=MatchVerdict(match["verdict"]),
        severity=Severity.parse(match["severity"]),
        fix_state=FixState(match["fix_state"]),
        fixed_in=tuple(match["fixed_in"]),
        aliases=tuple(match["aliases"]),
        ecosystem=match["ecosystem"],
        summary=match["summary"],
        url=match["url"],
        published=match["published"],
        modified=match["modified"],
        cvss=tuple(Cvss(**cvss) for cvss in match["cvss"]),
        why=match["why"],
        suppressed=match.get("reason", ""),
        fixed_since=match.get("fixed_since", ""),
        fixed_since_by=FixDating(match.get("fixed_since_by", "")),
    )
