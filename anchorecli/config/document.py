"""A configuration file as settings, each with its line. Format: see the package's docstring."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from anchorecli.config.options import BY_KEY, Option, boolean, nearest, text, url
from anchorecli.config.settings import EVENTS, Secret, Value, Webhook
from anchorecli.errors import UsageError
from anchorecli.values import dataclass

if TYPE_CHECKING:
    from yaml import MappingNode, Node

MAX_BYTES = 1 << 17
"""The YAML parser takes a second or so for the worst of this size."""
MAX_ITEMS = 1000

_TOP = {key.partition(".")[0] for key in BY_KEY} | {"feeds", "webhooks"}
_FEED_KEYS = ("url", "enabled")
_WEBHOOK_KEYS = ("url", "events", "headers", "secret")


def read(path: Path, home: str, *, local: bool) -> Iterator[tuple[str, Value]]:
    """The settings of a file by key; ``local``: it is the working directory's, and may set little.

    Raises: UsageError with file and line: unreadable, no YAML, an unknown key, a value of the wrong kind.
    """
    document = _Document(path, home, local)
    root = document.compose()
    if root is not None:
        yield from document.group("", root)


@dataclass(frozen=True, slots=True)
class _Document:
    path: Path
    home: str
    local: bool

    def compose(self) -> MappingNode | None:
        """The root of the YAML tree; None for a file without content."""
        import yaml

        try:
            root = yaml.compose(self.content(), Loader=yaml.SafeLoader)
        except RecursionError:
            raise UsageError(f"{self.path}: nested too deeply", hint="this is no configuration file") from None
        except yaml.MarkedYAMLError as exc:
            line = f":{exc.problem_mark.line + 1}" if exc.problem_mark else ""
            raise UsageError(f"{self.path}{line}: no YAML: {exc.problem}", hint="correct the line") from None
        except (yaml.YAMLError, ValueError) as exc:
            raise UsageError(f"{self.path}: no YAML: {str(exc).splitlines()[0]}", hint="write it as UTF-8") from None
        if root is None or (isinstance(root, yaml.ScalarNode) and root.tag.endswith(":null")):
            return None
        return self.mapping(root, "the file")

    def content(self) -> bytes:
        """The file's bytes, of which there are not many."""
        hint = "give the path of a readable YAML file with --config, or remove it"
        # One that waits for input (a device, a pipe) may be named by a user, never by a directory that is just there.
        if self.local and self.path.exists() and not self.path.is_file():
            raise UsageError(f"{self.path}: no regular file", hint=hint)
        try:
            with self.path.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
        except OSError as exc:
            raise UsageError(f"{self.path}: cannot be read: {exc.strerror}", hint=hint) from None
        if len(data) > MAX_BYTES:
            raise UsageError(f"{self.path}: more than {MAX_BYTES} bytes", hint="this is no configuration file")
        return data

    def group(self, prefix: str, node: Node) -> Iterator[tuple[str, Value]]:
        """The settings below a key that is a group (``retention.``), or at the top (empty)."""
        known = {key[len(prefix) :].partition(".")[0] for key in BY_KEY if key.startswith(prefix)} if prefix else _TOP
        for name, child in self.items(node, prefix.rstrip(".") or "the file", known):
            key = prefix + name
            if key == "feeds":
                yield from self.feeds(child)
            elif key == "webhooks":
                self.refuse_local(child, key)
                yield key, Value(tuple(map(self.webhook, self.sequence(child, key))), self.at(child))
            elif key in BY_KEY:
                yield key, self.option(BY_KEY[key], child)
            else:
                yield from self.group(f"{key}.", child)

    def option(self, option: Option, node: Node) -> Value:
        """One setting's value."""
        if not option.local:
            self.refuse_local(node, option.key)
        if option.many:
            parsed = tuple(self.scalar(item, option) for item in self.sequence(node, option.key))
            if option.path:
                parsed = tuple(map(self.located, parsed))
            if self.local and any("=" in item for item in parsed):
                self.refuse_local(node, f"a file in {option.key}")
            return Value(parsed, self.at(node))
        value = self.scalar(node, option)
        return Value(self.located(value) if option.path else value, self.at(node))

    def feeds(self, node: Node) -> Iterator[tuple[str, Value]]:
        """``feeds.NAME.url`` and ``feeds.NAME.enabled``, whether or not a feed of that name exists; and settings of all
        feeds together."""
        for name, feed in self.items(node, "feeds"):
            if own := BY_KEY.get(f"feeds.{name}"):
                yield own.key, self.option(own, feed)
                continue
            for attribute, child in self.items(feed, f"feeds.{name}", _FEED_KEYS):
                key = f"feeds.{name}.{attribute}"
                if attribute == "url":
                    self.refuse_local(child, key)
                    yield key, Value(self.scalar(child, Option(key, url, ("str",))), self.at(child))
                else:
                    yield key, Value(self.scalar(child, Option(key, boolean, ("bool", "str"))), self.at(child))

    def webhook(self, node: Node) -> Webhook:
        """One webhook: a URL, or a mapping with one."""
        from yaml import ScalarNode

        if isinstance(node, ScalarNode):
            return Webhook(self.secret(node, "webhooks", url))
        given = dict(self.items(node, "webhooks", _WEBHOOK_KEYS))
        if "url" not in given:
            self.fail(node, "a webhook without url", "add url: https://…")
        events = EVENTS
        if "events" in given:
            found = self.sequence(given["events"], "events")
            events = tuple(self.word(item, "events", EVENTS) for item in found)
        headers = dict(self.items(given["headers"], "headers")) if "headers" in given else {}
        return Webhook(
            url=self.secret(given["url"], "url", url),
            events=events,
            headers={name: self.secret(child, name) for name, child in headers.items()},
            secret=self.secret(given["secret"], "secret") if "secret" in given else Secret("text", ""),
        )

    def secret(self, node: Node, key: str, parse: Any = text) -> Secret:
        """A literal, or where the value is to be had when it is needed."""
        from yaml import ScalarNode

        if isinstance(node, ScalarNode):
            return Secret("text", self.scalar(node, Option(key, parse, ("str", "int"))))
        places = list(self.items(node, key, ("env", "file")))
        if len(places) != 1:
            self.fail(node, f"{key} has {len(places)} places", "write {env: NAME} or {file: PATH}")
        kind, child = places[0]
        value = self.scalar(child, Option(f"{key}.{kind}", text, ("str",)))
        return Secret(kind, self.located(value) if kind == "file" else value)

    # ── YAML ────────────────────────────────────────────────────────────────────────────────────────────────

    def items(self, node: Node, key: str, known: Any = None) -> Iterator[tuple[str, Node]]:
        """The pairs of a mapping, each key once and, where given, one of ``known``."""
        from yaml import ScalarNode

        seen: set[str] = set()
        for name, child in self.mapping(node, key).value:
            if not isinstance(name, ScalarNode):
                self.fail(name, "a key that is no word", "write key: value")
            if known is not None and name.value not in known:
                self.fail(name, f"unknown key {name.value!r}", nearest(name.value, known))
            if name.value in seen:
                self.fail(name, f"{name.value} stands there twice", "remove one of them")
            seen.add(name.value)
            yield name.value, child

    def mapping(self, node: Node, key: str) -> MappingNode:
        """The node, if it is a mapping."""
        from yaml import MappingNode

        if not isinstance(node, MappingNode):
            self.fail(node, f"{key} must be a mapping", "write key: value, one a line")
        if len(node.value) > MAX_ITEMS:
            self.fail(node, f"{key} has more than {MAX_ITEMS} keys", "shorten it")
        return node

    def sequence(self, node: Node, key: str) -> list[Node]:
        """The items of a list; one value alone counts as a list of one."""
        from yaml import SequenceNode

        if not isinstance(node, SequenceNode):
            return [node]
        if len(node.value) > MAX_ITEMS:
            self.fail(node, f"{key} has more than {MAX_ITEMS} items", "shorten it")
        return list(node.value)

    def scalar(self, node: Node, option: Option) -> Any:
        """The value of a scalar of one of the kinds the option takes."""
        from yaml import ScalarNode

        if not isinstance(node, ScalarNode):
            self.fail(node, f"{option.key} must be a single value", f"write {option.key.rpartition('.')[2]}: value")
        kind = node.tag.rpartition(":")[2]
        if kind == "null":
            self.fail(node, f"{option.key} has no value", "give one, or remove the line")
        try:
            if kind not in option.kinds:
                raise ValueError(f"it is read as {kind}: put it in quotes if it is text")
            return option.parse(node.value)
        except ValueError as exc:
            self.fail(node, f"{option.key}: {exc}", f"correct {node.value[:60]!r}")

    def word(self, node: Node, key: str, words: tuple[str, ...]) -> str:
        """A scalar that is one of the words."""
        found: str = self.scalar(node, Option(key, text, ("str",)))
        if found not in words:
            self.fail(node, f"unknown {key} {found!r}", nearest(found, words))
        return found

    def located(self, name: str) -> str:
        """A path of the file: ``~/`` is the home directory, what is relative is so to the file."""
        if name.startswith("~/") and self.home:
            return str(Path(self.home) / name[2:])
        return str(self.path.parent / name)

    def at(self, node: Node) -> str:
        """``file:line``."""
        return f"{self.path}:{node.start_mark.line + 1}"

    def refuse_local(self, node: Node, key: str) -> None:
        """Raises: UsageError where the file is the working directory's, which has no say in this."""
        if self.local:
            hint = "put it into ~/.config/anchore/config.yaml; or, if you trust the file, name it with --config"
            self.fail(node, f"{key} is not taken from the working directory's file", hint)

    def fail(self, node: Node, message: str, hint: str) -> NoReturn:
        """Raises: UsageError that points at the node."""
        raise UsageError(f"{self.at(node)}: {message}", hint=hint)
