"""A new exception written into a bundle's file: which list, which text, and the proof that nothing else changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from anchorecli.errors import BundleError, UsageError
from anchorecli.policy.authoring.insertion import Keys, append
from anchorecli.policy.language.allowlists import read_allowlists
from anchorecli.policy.language.document import Node, from_plain, read_documents
from anchorecli.policy.language.faults import Faults
from anchorecli.policy.language.fields import Fields
from anchorecli.policy.language.include import read_text
from anchorecli.policy.language.spellings import KEYS
from anchorecli.policy.values import Allowlist, Bundle

NEW_LIST = "exceptions"
_ENTERPRISE = {ours: theirs for theirs, ours in KEYS.items()}


class Change(NamedTuple):
    """A file, its text, and the text it is to have; ``item_id`` is the new item, ``allowlist_id`` its list."""

    path: str
    before: str
    after: str
    allowlist_id: str
    item_id: str


class _Edit(NamedTuple):
    """One item for one list of one document."""

    document: int
    keys: Keys
    value: Any


def new_exception(bundle: Bundle, item: Mapping[str, str], allowlist_id: str = "") -> Change:
    """What the bundle's file has to be for it to hold one exception more.

    ``item`` is the entry without an id; it gets one. ``allowlist_id`` may be left out where there is one list or none:
    then one is made, and named in every mapping.

    Raises: UsageError where the list is not clear; BundleError where the file cannot be changed.
    """
    allowlist = _chosen(bundle, allowlist_id)
    _refuse_twice(bundle, allowlist, item)
    path = getattr(allowlist.line, "path", "") if allowlist else ""
    path = path or bundle.path
    before = read_text(path)
    documents = read_documents(before, path)
    named = {"id": _free_id(bundle, item)} | dict(item)
    _check(named)
    list_id = allowlist.id if allowlist else allowlist_id or NEW_LIST
    edits = list(_edits(bundle, documents, allowlist, list_id, named))
    after = before
    expected = [_plain(document) for document in documents]
    for edit in edits:
        try:
            after = append(after, *edit)
        except BundleError as error:
            raise BundleError(error.message, path=path, hint=_BY_HAND) from None
        _put(expected, edit)
    _prove(after, expected, path)
    return Change(path, before, after, list_id, named["id"])


_BY_HAND = "Nothing was written. Write the exception into the file by hand."


def _chosen(bundle: Bundle, wanted: str) -> Allowlist | None:
    """The list that takes the item, None for a new one."""
    lists = bundle.allowlists
    if wanted or not lists:
        return next((one for one in lists if one.id == wanted), None)
    used = [one for one in lists if any(one.id in mapping.allowlist_ids for mapping in bundle.mappings)] or [*lists]
    if len(used) > 1:
        known = ", ".join(one.id for one in used)
        raise UsageError(f"{bundle.path} has several whitelists: {known}", hint="name one: --whitelist ID")
    return used[0]


def _check(item: Mapping[str, str]) -> None:
    """Raises: BundleError where the item is none, as the reader of bundles sees it."""
    faults = Faults("")
    lists = from_plain({"whitelists": [{"id": NEW_LIST, "items": [item]}]})
    read_allowlists(Fields(lists, "the bundle", ("whitelists",), faults), faults)
    faults.check()


def _refuse_twice(bundle: Bundle, allowlist: Allowlist | None, item: Mapping[str, str]) -> None:
    selecting = ("gate", "trigger_id", "vulnerability", "package", "image")
    for known in allowlist.items if allowlist else ():
        if all(getattr(known, name) == item.get(name, "") for name in selecting if name != "gate" or name in item):
            until = f" until {known.expires_on}" if known.expires_on else ""
            message = f"{bundle.path}: item {known.id} of {allowlist.id if allowlist else ''} lets it through{until}"
            raise UsageError(message, hint="Renew that item by hand: change its end, and say why.")


def _free_id(bundle: Bundle, item: Mapping[str, str]) -> str:
    """An id that says what the item is about and that no list has."""
    about = item.get("trigger_id") or "-".join(filter(None, (item.get("vulnerability"), item.get("package"))))
    words = "".join(character if character.isalnum() and character.isascii() else "-" for character in about.lower())
    name = "allow-" + ("-".join(filter(None, words.split("-")))[:60] or item.get("gate", "all"))
    taken = {one.id for allowlist in bundle.allowlists for one in allowlist.items}
    numbered = (f"{name}-{number}" for number in range(2, len(taken) + 3))
    return name if name not in taken else next(one for one in numbered if one not in taken)


def _edits(
    bundle: Bundle, documents: tuple[Node, ...], allowlist: Allowlist | None, list_id: str, item: Mapping[str, str]
) -> Iterator[_Edit]:
    if allowlist is not None:
        document, written, place = _find_list(documents, allowlist, bundle)
        yield _Edit(document, (written, place, "items"), dict(item))
    else:
        made = {"id": list_id, "name": list_id.capitalize(), "version": _version(documents[0]), "items": [dict(item)]}
        yield _Edit(0, (_written(documents[0], "whitelists"),), made)
    if any(list_id in mapping.allowlist_ids for mapping in bundle.mappings):
        return
    here = 0
    for document, root in enumerate(documents):
        written = _written(root, "mappings")
        mappings = root.entries[written].items if written in root.entries else ()
        for place, mapping in enumerate(mappings):
            here += 1
            yield _Edit(document, (written, place, _written(mapping, "whitelist_ids", root)), list_id)
    stated = [mapping for mapping in bundle.mappings if mapping.image.line]
    if here < len(stated):
        hint = (
            f"Add {list_id} to the whitelist_ids of a mapping first, or name a list that a mapping has: --whitelist ID"
        )
        raise BundleError(f"no mapping names the whitelist {list_id}, and mappings are elsewhere", hint=hint)


def _find_list(documents: tuple[Node, ...], allowlist: Allowlist, bundle: Bundle) -> tuple[int, str, int]:
    for document, root in enumerate(documents):
        written = _written(root, "whitelists")
        for place, node in enumerate(root.entries[written].items if written in root.entries else ()):
            if "id" in node.entries and node.entries["id"].text == allowlist.id:
                return document, written, place
    raise BundleError(f"the whitelist {allowlist.id} was not found", path=bundle.path, hint=_BY_HAND)


def _written(node: Node, name: str, root: Node | None = None) -> str:
    """How a key is written in a mapping, or would be in a document of its version."""
    theirs = _ENTERPRISE.get(name, name)
    if theirs in node.entries or (name not in node.entries and _version(root or node) == "2"):
        return theirs
    return name


def _version(root: Node) -> str:
    return root.entries["version"].text if "version" in root.entries else "1_0"


def _prove(text: str, expected: list[Any], path: str) -> None:
    """Raises: BundleError where the new text says anything but what it should."""
    try:
        said = [_plain(document) for document in read_documents(text, path)]
    except BundleError as error:
        message = f"the new entry does not fit into the layout of the file ({error.message})"
        raise BundleError(message, path=path, hint=_BY_HAND) from None
    if said != expected:
        raise BundleError("the new entry does not fit into the layout of the file", path=path, hint=_BY_HAND)


def _plain(node: Node) -> Any:
    """What a node says, without lines: kinds and texts."""
    if node.kind == "mapping":
        return {name: _plain(value) for name, value in node.entries.items()}
    if node.kind == "list":
        return [_plain(item) for item in node.items]
    return node.kind, node.text


def _put(documents: list[Any], edit: _Edit) -> None:
    place = documents[edit.document]
    *way, last = edit.keys
    for key in way:
        place = place[key]
    if last not in place or place[last] == ("null", ""):
        place[last] = []
    place[last].append(_plain(from_plain(edit.value)))
