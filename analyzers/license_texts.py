"""Which licence a whole text is, by the words it begins with: for files that are called LICENSE and nothing else tells.

Format: the texts of https://spdx.org/licenses/ . Only what is certain: a title with its version, or the sentences that
make a short licence what it is.

Not handled: files with texts of several licences; GNU's, whose texts do not say whether later versions are allowed.
"""

from __future__ import annotations

import re

MAX_BYTES = 128 * 1024
"""A file that is larger has more than one licence in it."""
_HEAD = 1200

_TITLES = tuple(
    (re.compile(pattern), name)
    for pattern, name in (
        (r"apache license,? version 2\.0", "Apache-2.0"),
        (r"eclipse public license(?: ?-)? v(?:ersion)? ?2\.0", "EPL-2.0"),
        (r"eclipse public license(?: ?-)? v(?:ersion)? ?1\.0", "EPL-1.0"),
        (r"eclipse distribution license(?: ?-)? v(?:ersion)? ?1\.0", "BSD-3-Clause"),
        (r"mozilla public license,? version 2\.0", "MPL-2.0"),
        (r"mozilla public license,? version 1\.1", "MPL-1.1"),
        (r"common development and distribution license \(cddl\),? version 1\.1", "CDDL-1.1"),
        (r"common development and distribution license \(cddl\),? version 1\.0", "CDDL-1.0"),
        (r"server side public license version 1,", "SSPL-1.0"),
        (r"the universal permissive license \(upl\),? version 1\.0", "UPL-1.0"),
        (r"boost software license - version 1\.0", "BSL-1.0"),
    )
)
_SHORT = (
    ("permission is hereby granted, free of charge, to any person obtaining a copy of this software", "MIT"),
    ("redistribution and use in source and binary forms, with or without modification, are permitted", "BSD"),
    ("permission to use, copy, modify, and/or distribute this software for any purpose with or without fee", "ISC"),
)
_NAMES = ("neither the name", "the names of its contributors may not be used", "the name of the author may not be used")
_OPENERS = re.compile(r"^[\W_]*(?:(?:the )?text of the )?")


def recognised(data: bytes) -> str:
    """The SPDX identifier of a licence's text; empty where it is not certainly one."""
    if len(data) > MAX_BYTES:
        return ""
    text = " ".join(data.decode("utf-8", "replace").lower().split())
    short = [name for sentence, name in _SHORT for _ in range(text.count(sentence))]
    titles = [name for pattern, name in _TITLES if pattern.search(text)]
    if titles:
        begins = any(pattern.match(_OPENERS.sub("", text[:_HEAD])) for pattern, name in _TITLES)
        return titles[0] if begins and len(titles) == 1 and not short else ""
    if short == ["BSD"]:
        return "BSD-3-Clause" if any(each in text for each in _NAMES) else "BSD-2-Clause"
    return short[0] if len(short) == 1 else ""
