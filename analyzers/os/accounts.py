"""Users and groups of the image, and whether a password lets them in; never a password's hash.

Format: passwd(5), group(5), shadow(5): fields with colons between them, a line each. A password field holds a hash,
``x`` (it stands in shadow), ``!`` before what is locked, or something that no hash can be (``*``).

Emits: users and groups, each with the layer since which its line has stood there as it is.

Not handled: users of other sources (nsswitch.conf: LDAP, systemd-userdb, ``/usr/lib/passwd`` of ostree), gshadow.
"""

from __future__ import annotations

from collections.abc import Iterator

from anchorecli.analyzers.base import Fact, Found, LayerFile, View, Wants, partial
from anchorecli.analyzers.language.core_metadata import printable
from anchorecli.analyzers.os.attribution import first_layers, written
from anchorecli.model import Account, DiffId, Group, Json, Password
from anchorecli.values import dataclass

PASSWD, GROUP, SHADOW = "etc/passwd", "etc/group", "etc/shadow"
MAX_BYTES = 8 * 1024 * 1024
MAX_ROWS = 20_000
_MAX_ID = 0xFFFFFFFF
_SHORTEST_HASH = 13
"""crypt(5): what descrypt gives."""

_ELSEWHERE = "x"


@dataclass(frozen=True, slots=True)
class AccountAnalyzer:
    """Users and groups. A fact is the file's rows: (name, password, uid, gid, home, shell), (name, gid, members) or
    (name, password), where the password is one of the words above, or ``x``."""

    name: str = "accounts"
    version: int = 1
    options: str = ""
    wants: Wants = Wants(paths=frozenset({PASSWD, GROUP, SHADOW}), max_bytes=MAX_BYTES)

    def read(self, file: LayerFile) -> Json | None:
        """The rows of one file; lines that are none are left out."""
        lines = printable(file.data()).splitlines()
        rows = [row for line in lines[:MAX_ROWS] if (row := _READERS[file.path](line.strip().split(":"))) is not None]
        return partial(rows, f"more than {MAX_ROWS} lines") if len(lines) > MAX_ROWS else rows

    def assemble(self, view: View) -> Found:
        """The users with their groups."""
        groups, members = _groups(view)
        shadow = view.fact(SHADOW)
        hidden = {name: state for name, state in shadow.value} if shadow else None
        accounts = []
        names = {group.gid: group.name for group in reversed(groups)}
        for (name, state, uid, gid, home, shell), layer in _rows(view, PASSWD):
            if state == _ELSEWHERE:
                state = Password.UNKNOWN if hidden is None else hidden.get(name, Password.NONE)
            own = dict.fromkeys([*([names[gid]] if gid in names else []), *members.get(name, ())])
            accounts.append(Account(name, uid, gid, home, shell, Password(state), tuple(own), layer))
        return Found(accounts=tuple(accounts), groups=tuple(groups))


def password(text: str) -> str:
    """What a password field says."""
    if text == _ELSEWHERE:
        return _ELSEWHERE
    if not text:
        return Password.EMPTY
    hashed = text.lstrip("!")
    if len(hashed) < _SHORTEST_HASH or hashed.startswith("*"):
        return Password.NONE
    return Password.LOCKED if text.startswith("!") else Password.SET


def _user(fields: list[str]) -> Json | None:
    if len(fields) < 4 or not fields[0] or (uid := _number(fields[2])) is None or (gid := _number(fields[3])) is None:
        return None
    home, shell = (*fields[5:7], "", "")[:2]
    return [fields[0], password(fields[1]), uid, gid, home, shell]


def _group(fields: list[str]) -> Json | None:
    if len(fields) < 3 or not fields[0] or (gid := _number(fields[2])) is None:
        return None
    return [fields[0], gid, [each for each in (fields[3].split(",") if len(fields) > 3 else ()) if each]]


def _shadowed(fields: list[str]) -> Json | None:
    if len(fields) < 2 or not fields[0]:
        return None
    state = password(fields[1])
    return [fields[0], Password.NONE if state == _ELSEWHERE else state]


_READERS = {PASSWD: _user, GROUP: _group, SHADOW: _shadowed}


def _number(text: str) -> int | None:
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 10 else -1
    return number if 0 <= number <= _MAX_ID else None


def _groups(view: View) -> tuple[list[Group], dict[str, list[str]]]:
    """The groups, and the names of those that name a user."""
    groups = [Group(name, gid, tuple(members), layer) for (name, gid, members), layer in _rows(view, GROUP)]
    named: dict[str, list[str]] = {}
    for group in groups:
        for member in group.members:
            named.setdefault(member, []).append(group.name)
    return groups, named


def _rows(view: View, path: str) -> Iterator[tuple[Json, DiffId]]:
    """The rows of the file at a path, each with the layer since which it has been there."""
    fact: Fact | None = view.fact(path)
    if fact is None:
        return
    layers = first_layers(view.history(fact.path), written)
    for row in fact.value:
        yield row, view.diff_id(layers.get(repr(row), fact.layer) if layers else fact.layer)
