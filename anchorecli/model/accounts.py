"""Users and groups of an image."""

from __future__ import annotations

from enum import StrEnum

from anchorecli.model.base import DiffId
from anchorecli.values import dataclass


class Password(StrEnum):
    """What is known of a user's password: ``locked`` is set and locked; ``none`` lets nobody in, ``empty`` anybody,
    ``unknown`` stands where there is no shadow file."""

    SET = "set"
    LOCKED = "locked"
    NONE = "none"
    EMPTY = "empty"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, order=True)
class Account:
    """A user of the image (passwd(5), shadow(5)); the hash of the password is nowhere.

    ``groups`` are the names of all groups. ``layer`` is the lowest since which the entry has been there as it is.
    """

    name: str
    uid: int
    gid: int
    home: str = ""
    shell: str = ""
    password: Password = Password.UNKNOWN
    groups: tuple[str, ...] = ()
    layer: DiffId = DiffId("")


@dataclass(frozen=True, slots=True, order=True)
class Group:
    """A group of the image (group(5)), with the users that are named in it."""

    name: str
    gid: int
    members: tuple[str, ...] = ()
    layer: DiffId = DiffId("")
