"""Facts of an image that its source tells in several ways: when it was created, and how large it is."""

from __future__ import annotations

from anchorecli.model import Image
from anchorecli.policy.times import days_between

# No container image is older; earlier dates (1970, 1980, year 1) are what reproducible builds write.
_EARLIEST = "2013-01-01"
_CREATED = "org.opencontainers.image.created"
_UNITS = {"kb": 1024, "mb": 1024**2, "gb": 1024**3, "tb": 1024**4}


def created(image: Image) -> str:
    """When the image was created (RFC 3339): as its configuration says, or where the date there stands for none its
    annotations; empty where neither does. Labels and history are not asked: they may be the base image's."""
    return next((date for date in (image.config.created, image.annotations.get(_CREATED, "")) if _is_real(date)), "")


def _is_real(date: str) -> bool:
    age = days_between(_EARLIEST, date)
    return age is not None and age >= 0


def stored_size(image: Image) -> int | None:
    """The bytes of the layers as they are stored, usually compressed; None where the source does not tell."""
    sizes = [layer.size for layer in image.layers]
    return sum(sizes) if all(sizes) and all(layer.digest for layer in image.layers) else None


def byte_count(text: str) -> int:
    """``512``, ``200mb``, ``1.5 GB``: bytes; units are powers of 1024. What is no size raises ValueError."""
    lowered = text.strip().lower()
    unit = lowered[-2:] if lowered[-2:] in _UNITS else ""
    number = lowered.removesuffix(unit).strip() if unit else lowered
    whole, point, fraction = number.partition(".")
    if not (whole.isascii() and whole.isdigit() and len(number) < 20 and (not point or (unit and fraction.isdigit()))):
        raise ValueError(text)
    return int(float(number) * _UNITS[unit]) if unit else int(whole)


def size_fault(text: str) -> str:
    """What is wrong with a size, empty if nothing is."""
    try:
        byte_count(text)
    except ValueError:
        return f'"value" is a size such as 200mb, not {text}' if text else ""
    return ""
