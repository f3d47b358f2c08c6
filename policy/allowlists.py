"""The whitelists of a bundle: their items read and checked, and written back as a document.

Format: an item of Anchore's bundle has ``id``, ``gate``, ``trigger_id`` and ``expires_on``.
"""

from __future__ import annotations

from typing import Any

from anchorecli.model import Allow
from anchorecli.policy.document import Node
from anchorecli.policy.faults import Faults, quoted, unknown
from anchorecli.policy.fields import Fields, Ids, check_version, wildcard
from anchorecli.policy.rules import known_gates
from anchorecli.policy.times import utc
from anchorecli.policy.values import Allowlist

_LIST_KEYS = ("id", "version", "items", "last_updated", "created_at")
_ITEM_KEYS = ("id", "gate", "trigger_id", "expires_on", "created_at", "last_updated")


def read_allowlists(fields: Fields, faults: Faults) -> tuple[Allowlist, ...]:
    """The whitelists of a bundle, in its order; what is wrong with them goes to ``faults``."""
    allowlists: list[Allowlist] = []
    ids = Ids("whitelist", faults)
    for node in fields.items("whitelists"):
        one = Fields(node, "the whitelist", _LIST_KEYS, faults)
        check_version(one, faults)
        one.text("id", required=True)
        list_id = ids.take(one)
        item_ids = Ids("whitelist item", faults)
        items = tuple(_item(item, item_ids, f"{list_id}:", faults) for item in one.items("items"))
        allowlists.append(Allowlist(list_id, one.text("name"), items, one.line, one.comment()))
    return tuple(allowlists)


def allow_document(item: Allow) -> dict[str, Any]:
    """An item as it stands in a bundle, without its comment and line; what is empty is left out."""
    known = {"id": item.id, "gate": item.gate, "trigger_id": item.trigger_id, "expires_on": item.expires_on}
    return {name: value for name, value in known.items() if value}


def _item(node: Node, ids: Ids, prefix: str, faults: Faults) -> Allow:
    fields = Fields(node, "the whitelist item", _ITEM_KEYS, faults)
    gate = fields.text("gate", required=True).lower()
    if gate and gate not in known_gates():
        faults.add(fields.line_of("gate"), unknown("gate", gate, known_gates()))
    trigger_id = wildcard(fields, "trigger_id", faults)
    expires = fields.text("expires_on")
    if expires and utc(expires) is None:
        message = f"expires_on must be a time such as 2030-01-31T00:00:00Z, not {quoted(expires)}"
        faults.add(fields.line_of("expires_on"), message)
    comment = fields.text("comment") or fields.text("description")
    return Allow(ids.take(fields, prefix), gate, trigger_id, expires, comment, fields.line)
