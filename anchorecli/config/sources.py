"""Puts the settings together from flags, environment and files."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from anchorecli.config.options import BY_KEY, OPTIONS, Option, nearest, url
from anchorecli.config.settings import FeedSettings, Secret, Settings, Value, Webhook
from anchorecli.errors import UsageError

LOCAL_FILE = ".anchore.yaml"
SYSTEM_FILE = Path("/etc/anchore/config.yaml")

_LISTS = {"feed_url": "ANCHORE_FEED_URL", "webhook": "ANCHORE_WEBHOOK"}
_EXCLUSIVE = (("policy", "fail-on"),)
_SIGNING_KEY = "ANCHORE_WEBHOOK_SECRET"


def load(
    flags: Mapping[str, Any] | None = None,
    env: Mapping[str, str] | None = None,
    *,
    config_file: str | Path | None = None,
    cwd: Path | None = None,
    feeds: Collection[str] = (),
) -> Settings:
    """The settings in force.

    ``flags`` are by flag or field name, None where not given, as text or as click makes it (a number, a truth value, a
    tuple); ``feed_url`` is a list of ``NAME=URL``, ``webhook`` a list of URLs. ``feeds`` are the names that exist:
    given, any other is an error.

    Raises: UsageError that names the file and line, the variable or the flag, and the nearest name of an unknown one.
    """
    env = os.environ if env is None else env
    sources = [_from_flags(flags or {}, env), _from_environment(env)]
    for path, local in _files(str(config_file or env.get("ANCHORE_CONFIG", "")), env, cwd or Path()):
        from anchorecli.config.document import read

        sources.append(dict(read(path, env.get("HOME", ""), local=local)))
    return _settings(_merged(sources), env, feeds)


def _merged(sources: Sequence[Mapping[str, Value]]) -> dict[str, Value]:
    """The strongest source's value of each key; of two keys that exclude each other only the stronger source's."""
    found: dict[str, Value] = {}
    for source in sources:
        here = dict(source)
        for one, other in _EXCLUSIVE:
            if one in here and other in here:
                hint = f"{one} comes from {here[one].origin}: give one of the two"
                raise UsageError(f"{here[other].origin}: {other} excludes {one}", hint=hint)
            if one in found or other in found:
                here.pop(one, None)
                here.pop(other, None)
        found = here | found
    return found


def _files(explicit: str, env: Mapping[str, str], cwd: Path) -> Iterator[tuple[Path, bool]]:
    """The files to read, the strongest first, and whether each is only the working directory's."""
    if explicit:
        yield Path(explicit), False
        return
    candidates = [(cwd / LOCAL_FILE, True)]
    if base := _xdg(env, "XDG_CONFIG_HOME", ".config"):
        candidates.append((base / "anchore" / "config.yaml", False))
    candidates.append((SYSTEM_FILE, False))
    for path, local in candidates:
        # Whatever is there is read, be it a directory: a file that is silently not taken would be worse than an error.
        if os.path.lexists(path):
            yield path, local


def _from_environment(env: Mapping[str, str]) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for option in OPTIONS:
        if given := env.get(option.variable, ""):
            found[option.key] = Value(_parsed(option, given, option.variable), option.variable)
    for name, variable in _LISTS.items():
        if given := env.get(variable, ""):
            found |= _listed(name, given.split(), variable, env)
    return found


def _from_flags(flags: Mapping[str, Any], env: Mapping[str, str]) -> dict[str, Value]:
    by_field = {option.field: option for option in OPTIONS} | {option.flag: option for option in OPTIONS}
    found: dict[str, Value] = {}
    for name, given in flags.items():
        if given is None or given == ():
            continue
        if name in _LISTS:
            items = given.split() if isinstance(given, str) else given
            found |= _listed(name, items, "--" + name.replace("_", "-"), env)
            continue
        option = by_field[name]
        if _is_environments(option, given, env):
            continue
        flag = "--" + option.flag.replace("_", "-")
        found[option.key] = Value(_parsed(option, given, flag), flag)
    return found


def _is_environments(option: Option, given: Any, env: Mapping[str, str]) -> bool:
    """Whether a flag's value is only the variable's, which click hands on as the flag's."""
    text = env.get(option.variable, "")
    try:
        return bool(text) and _parsed(option, given, "") == _parsed(option, text, "")
    except UsageError:
        return bool(text) and given == text


def _parsed(option: Option, given: Any, origin: str) -> Any:
    try:
        if option.many:
            return tuple(map(option.parse, given.split() if isinstance(given, str) else given))
        return option.parse(str(given))
    except ValueError as exc:
        raise UsageError(f"{origin}: {exc}", hint=f"correct {str(given)[:60]!r}") from None


def _listed(name: str, items: Collection[str], origin: str, env: Mapping[str, str]) -> dict[str, Value]:
    try:
        if name == "webhook":
            key = Secret("env", _SIGNING_KEY) if env.get(_SIGNING_KEY) else Secret("text", "")
            return {"webhooks": Value(tuple(Webhook(Secret("text", url(item)), secret=key) for item in items), origin)}
        pairs = [item.partition("=") for item in items]
        if not all(feed and separator for feed, separator, _ in pairs):
            raise ValueError("NAME=URL is wanted")
        return {f"feeds.{feed}.url": Value(url(base), origin) for feed, _, base in pairs}
    except ValueError as exc:
        # What was given is not repeated: a webhook's URL is a secret.
        raise UsageError(f"{origin}: {exc}", hint=f"correct {origin}") from None


def _settings(found: Mapping[str, Value], env: Mapping[str, str], names: Collection[str]) -> Settings:
    values: dict[str, Any] = {}
    feeds: dict[str, dict[str, Any]] = {}
    for key, (value, origin) in found.items():
        group, _, rest = key.partition(".")
        if group == "feeds" and key not in BY_KEY:
            name, _, attribute = rest.rpartition(".")
            if names and name.partition(":")[0] not in names:
                raise UsageError(f"{origin}: unknown feed {name!r}", hint=nearest(name, names))
            feeds.setdefault(name, {})[attribute] = value
    for option in OPTIONS:
        if option.key in found:
            values[option.field] = found[option.key].value
    values["store"] = Path(values["store"]) if "store" in values else _default_store(env)
    if "webhooks" in found:
        values["webhooks"] = found["webhooks"].value
    return Settings(
        **values,
        feeds={name: FeedSettings(**attributes) for name, attributes in sorted(feeds.items())},
        origins={key: value.origin for key, value in found.items()},
    )


def _default_store(env: Mapping[str, str]) -> Path:
    base = _xdg(env, "XDG_DATA_HOME", ".local/share")
    if base is None:
        raise UsageError("there is no home directory to keep the store in", hint="set HOME, or give --store PATH")
    return base / "anchore" / "store.db"


def _xdg(env: Mapping[str, str], variable: str, otherwise: str) -> Path | None:
    """A directory of the XDG Base Directory Specification: absolute or to be ignored."""
    given = env.get(variable, "")
    if given.startswith("/"):
        return Path(given)
    try:
        home = Path(env["HOME"]) if env.get("HOME") else Path.home()
    except RuntimeError:
        return None
    return home / otherwise
