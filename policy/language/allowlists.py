"""The whitelists of a bundle: their items read and checked, and written back as a document.

Format: an item of Anchore's bundle has ``id``, ``gate``, ``trigger_id`` and ``expires_on``. Ours may say more::

    - id: openssl-until-spring
      vulnerability: CVE-2099-0001     # by its id or any alias; instead of gate and trigger_id
      package: openssl                 # name, or what it was built from
      owner: jo@example.org
      reason: not reachable
      ticket: SEC-12
      created: 2098-12-01
      expires: 2099-03-31              # from the first moment of the day (UTC) on it lets nothing through

and be narrowed by ``purl``, ``path``, ``layer``, ``image``, ``base_only`` and ``while_no_fix``. With one of these (but
``image``) or ``package`` an item needs no trigger id: it means every finding of its gate in that scope.
"""

from __future__ import annotations

from typing import Any

from anchorecli.model import Allow
from anchorecli.policy.language.document import Node
from anchorecli.policy.language.faults import Faults, quoted, unknown
from anchorecli.policy.language.fields import Fields, Ids, check_version, wildcard
from anchorecli.policy.language.rules import known_gates
from anchorecli.policy.times import utc
from anchorecli.policy.values import Allowlist

_LIST_KEYS = ("id", "version", "items", "last_updated", "created_at")
_TEXTS = ("owner", "reason", "ticket")
_SCOPES = ("package", "purl", "path")
_FLAGS = ("base_only", "while_no_fix")
_ITEM_KEYS = (
    *("id", "gate", "trigger_id", "vulnerability", "expires_on", "expires", "created", "created_at", "last_updated"),
    *(*_TEXTS, *_SCOPES, "layer", "image", *_FLAGS),
)
_VULNERABILITIES = "vulnerabilities"
_LEAST_LAYER = 6
"""Digits of a layer's digest: with fewer another image's layer could be meant."""


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
    names = (
        *("id", "gate", "trigger_id", "vulnerability", *_SCOPES, "layer", "image", *_FLAGS),
        *(*_TEXTS, "created", "expires_on"),
    )
    return {name: value for name in names if (value := getattr(item, name))}


def _item(node: Node, ids: Ids, prefix: str, faults: Faults) -> Allow:
    fields = Fields(node, "the whitelist item", _ITEM_KEYS, faults)
    flags = {name: _flag(fields, name, faults) for name in _FLAGS}
    scopes = {name: wildcard(fields, name, faults, required=False) for name in _SCOPES}
    layer = _layer(fields, faults)
    gate, trigger_id, vulnerability = _selected(fields, faults, scoped=any((*scopes.values(), layer, *flags.values())))
    if flags["while_no_fix"] and gate != _VULNERABILITIES:
        faults.add(fields.line_of("while_no_fix"), f'"while_no_fix" has no meaning in gate {gate or "unknown"}')
    return Allow(
        ids.take(fields, prefix),
        gate,
        trigger_id,
        expires_on=_end(fields, faults),
        comment=fields.comment(),
        line=fields.line,
        vulnerability=vulnerability,
        layer=layer,
        image=wildcard(fields, "image", faults, required=False),
        created=_time(fields, "created", faults) or _known_time(fields.text("created_at")),
        package=scopes["package"],
        purl=scopes["purl"],
        path=scopes["path"],
        base_only=flags["base_only"],
        while_no_fix=flags["while_no_fix"],
        owner=fields.text("owner"),
        reason=fields.text("reason"),
        ticket=fields.text("ticket"),
    )


def _selected(fields: Fields, faults: Faults, *, scoped: bool) -> tuple[str, str, str]:
    """Gate, trigger id and vulnerability: which findings an item means, before its scope."""
    vulnerability = wildcard(fields, "vulnerability", faults, required=False)
    gate = fields.text("gate", required=not vulnerability).lower() or (_VULNERABILITIES if vulnerability else "")
    if gate and gate not in known_gates():
        faults.add(fields.line_of("gate"), unknown("gate", gate, known_gates()))
    if not vulnerability:
        everything = scoped and not fields.has("trigger_id")
        return gate, "*" if everything else wildcard(fields, "trigger_id", faults), ""
    if fields.has("trigger_id"):
        message = 'the whitelist item has both "vulnerability" and "trigger_id"; keep one'
        faults.add(fields.line_of("trigger_id"), message)
    if gate != _VULNERABILITIES:
        faults.add(fields.line_of("gate"), f'"vulnerability" is for gate {_VULNERABILITIES}, not {quoted(gate)}')
    return gate, "", vulnerability


def _end(fields: Fields, faults: Faults) -> str:
    if fields.has("expires") and fields.has("expires_on"):
        faults.add(fields.line_of("expires"), 'the whitelist item has both "expires" and "expires_on"; keep one')
    return _time(fields, "expires_on", faults) or _time(fields, "expires", faults)


def _time(fields: Fields, name: str, faults: Faults) -> str:
    text = fields.text(name)
    if text and utc(text) is None:
        example = "2030-01-31T00:00:00Z" if name == "expires_on" else "2030-01-31 or 2030-01-31T00:00:00Z"
        faults.add(fields.line_of(name), f"{name} must be a time such as {example}, not {quoted(text)}")
    return text


def _known_time(text: str) -> str:
    # The service writes this key itself, so that nobody can be told to mend it.
    return text if text and utc(text) is not None else ""


def _layer(fields: Fields, faults: Faults) -> str:
    text = fields.text("layer").lower()
    digits = text.removeprefix("sha256:")
    if text and (len(digits) < _LEAST_LAYER or digits.strip("0123456789abcdef")):
        wanted = f"a diff_id or digest, or at least its first {_LEAST_LAYER} digits"
        message = f'"layer" must be {wanted}, not {quoted(text)}'
        faults.add(fields.line_of("layer"), message)
    return text


def _flag(fields: Fields, name: str, faults: Faults) -> bool:
    text = fields.text(name).strip().lower()
    if text not in ("", "true", "false"):
        faults.add(fields.line_of(name), f'"{name}" must be true or false, not {quoted(text)}')
    return text == "true"
