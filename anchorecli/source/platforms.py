"""Which of an index's platforms is the one asked for.

Format: OCI image-spec, image-index.md, "platform" (GOOS, GOARCH and variants such as ``v7`` or ``v8``).
"""

from __future__ import annotations

from anchorecli.errors import NotFoundError
from anchorecli.model import Json, Platform

# Machine names of uname(2) to GOARCH and variant.
_MACHINES = {
    "x86_64": ("amd64", ""),
    "amd64": ("amd64", ""),
    "i386": ("386", ""),
    "i686": ("386", ""),
    "aarch64": ("arm64", ""),
    "arm64": ("arm64", ""),
    "armv8l": ("arm", "v7"),
    "armv7l": ("arm", "v7"),
    "armv6l": ("arm", "v6"),
    "armv5tel": ("arm", "v5"),
    "loongarch64": ("loong64", ""),
}

# What a variant left away means, and the oldest to fall back to: newer machines run older code.
_DEFAULT_VARIANT = {"arm64": 8, "arm": 7, "amd64": 1}


def host_platform() -> Platform:
    """The host's platform; the operating system is Linux also on macOS, where containers run in a Linux VM."""
    import platform as host

    machine = host.machine().lower()
    architecture, variant = _MACHINES.get(machine, (machine, ""))
    return Platform("windows" if host.system() == "Windows" else "linux", architecture, variant)


def read_platform(value: Json) -> Platform | None:
    """The platform of a descriptor or configuration; None where it has none."""
    if not isinstance(value, dict):
        return None
    parts = [value.get(key) for key in ("os", "architecture", "variant")]
    os_name, architecture, variant = (part if isinstance(part, str) else "" for part in parts)
    return Platform(os_name, architecture, variant) if os_name or architecture else None


def rank(candidate: Platform, wanted: Platform) -> int | None:
    """How well a candidate fits: 0 is exact, more is an older variant that runs there too, None does not run."""
    if (candidate.os, candidate.architecture) != (wanted.os, wanted.architecture):
        return None
    if candidate.variant == wanted.variant:
        return 0
    have, want = _variant(candidate), _variant(wanted)
    if have is None or want is None or have > want:
        return None
    return 1 + want - have


def choose(candidates: list[Platform], wanted: Platform | None, subject: str) -> int:
    """The index of the candidate to take.

    Without a wish the host's is taken, or the only one there is: what is scanned is never run. Raises:
    NotFoundError that lists the platforms available.
    """
    ranked = []
    for index, candidate in enumerate(candidates):
        fit = rank(candidate, wanted or host_platform())
        if fit is not None:
            ranked.append((fit, index))
    if ranked:
        return min(ranked)[1]
    if wanted is None and len(candidates) == 1:
        return 0
    available = ", ".join(sorted({str(candidate) for candidate in candidates})) or "none"
    raise NotFoundError(
        f"{subject} has no image for {wanted or host_platform()}",
        hint=f"available: {available}; choose with --platform",
    )


def check_platform(have: Platform, wanted: Platform | None, subject: str) -> None:
    """Raises: NotFoundError where a platform was asked for and the only image there is another's."""
    if wanted is not None and rank(have, wanted) is None:
        raise NotFoundError(f"{subject} has no image for {wanted}", hint=f"available: {have}")


def _variant(platform: Platform) -> int | None:
    if not platform.variant:
        return _DEFAULT_VARIANT.get(platform.architecture, 0)
    digits = platform.variant.removeprefix("v")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 4 else None
