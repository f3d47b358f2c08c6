"""What a distribution's package brought is public: a rule may leave it out, or be about nothing else."""

from __future__ import annotations

from collections.abc import Collection

from anchorecli.policy.base import Parameter
from anchorecli.policy.language.parameters import Arguments

_MEANT = {"include": (True, False), "exclude": (False,), "only": (True,)}


def packaged_parameter() -> Parameter:
    """The parameter that chooses."""
    return Parameter(
        "packaged",
        "enum",
        "Files that a package of the distribution brought, which everybody has, such as keys in test data: "
        "include, exclude, or only these. Not /etc, and not a file that a later layer put in their place.",
        default="include",
        allowed=tuple(_MEANT),
    )


def meant(arguments: Arguments) -> Collection[bool]:
    """Whether a rule is about files that have an owner, about those that have none, or both."""
    return _MEANT[arguments.text("packaged")]
