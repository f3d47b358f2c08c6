"""Drupal's modules and themes that were unpacked from drupal.org's archives.

Format: https://www.drupal.org/docs/develop/creating-modules/let-drupal-know-about-your-module-with-an-infoyml-file ;
drupal.org's packaging adds ``version: '8.x-3.10'`` and ``project: 'token'`` to each ``NAME.info.yml``, Drupal 7's
``NAME.info`` has ``version = "7.x-1.9"``. What Composer installed has them too, and is told by Composer's own list;
see ``second_hand``. Drupal itself (``project: 'drupal'``) is Composer's ``drupal/core``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from anchorecli.analyzers.language.core_metadata import printable
from anchorecli.analyzers.language.rows import Row, row
from anchorecli.analyzers.second_hand import RECEIPT

_LINE = re.compile(r"""^(version|project)\s*[:=]\s*['"]?([\w.+-]{1,100})['"]?\s*$""", re.MULTILINE | re.ASCII)
_CORE = re.compile(r"\d{1,2}\.x-")


def read(path: str, data: bytes) -> Iterator[Row]:
    """The project of one module or theme, as Composer calls it: ``drupal/token`` in version 1.10.0 is 8.x-1.10."""
    said = dict(_LINE.findall(printable(data[:100_000])))
    project, version = said.get("project", ""), said.get("version", "")
    if not project or not version or "VERSION" in version:
        return
    number = _CORE.sub("", version)
    if number != version and re.fullmatch(r"\d+\.\d+", number.partition("-")[0]):
        whole, hyphen, rest = number.partition("-")
        number = f"{whole}.0{hyphen}{rest}"
    name = "core" if project == "drupal" else project
    # The modules of one project are many files of one package.
    yield row("composer", f"drupal/{name}", number, place=f"drupal {project}", metadata={"evidence": RECEIPT})
