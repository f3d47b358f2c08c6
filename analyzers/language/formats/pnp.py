"""npm packages of Yarn's Plug'n'Play, which Node loads out of zip files.

Format: https://yarnpkg.com/advanced/pnp-spec , ``.pnp.cjs`` with ``"packageLocation":
"./.yarn/cache/lodash-npm-4.17.21-6382451519-eb835a2e51.zip/node_modules/lodash/"``: the file's name tells the version,
the path in it the name.

Packages that are unplugged into directories are found by their own package.json.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from anchorecli.analyzers.language.core_metadata import printable
from anchorecli.analyzers.language.rows import Row, row

_LOCATION = re.compile(
    r'"packageLocation":\s*"([^"\s]{1,500}?-npm-([^/"\s]{1,200}?)-[0-9a-f]{10}(?:-[0-9a-z]+)?\.zip)'
    r'/node_modules/((?:@[^/"]{1,214}/)?[^/"]{1,214})/"'
)


def read(path: str, data: bytes) -> Iterator[Row]:
    """Each package that stands in a zip file; ``file`` is that file's path, from here."""
    seen = set()
    # The map may stand in the file as a JavaScript string of its own, its quotes escaped.
    for found in _LOCATION.finditer(printable(data).replace('\\"', '"')):
        file, version, name = found.groups()
        if (name, version, file) not in seen:
            seen.add((name, version, file))
            yield row("npm", name, version, file=file, place=f"{path} {file}", metadata={"kind": "module"})
