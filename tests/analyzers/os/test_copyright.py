"""The licences a Debian copyright file names."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anchorecli.analyzers.os.copyright import licenses, named

HEAD = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n"
SAMPLE = f"""\
{HEAD}Upstream-Name: x

Files: *
Copyright: 2020 Somebody
License: GPL-2+ or Artistic

License:   Expat
 Permission is hereby granted
 License: this is text
License: BSD-3-clause, and public-domain
License:
 text without a name
"""


def test_short_names_with_their_normal_form():
    assert named(SAMPLE.encode()) == ["BSD-3-clause, and public-domain", "Expat", "GPL-2+ or Artistic"]
    assert licenses(named(SAMPLE.encode())) == ("BSD-3-clause, and public-domain", "GPL-2+ or Artistic", "MIT")


@pytest.mark.parametrize(
    "head",
    [
        "Format: http://dep.debian.net/deps/dep5/\n",
        "Format-Specification: http://anonscm.debian.org/viewvc/dep/web/deps/dep5.mdwn\n",
        "\n\nFormat: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0\n",
    ],
)
def test_older_heads(head):
    assert named(f"{head}\nLicense: ISC\n".encode()) == ["ISC"]


def test_plain_text_gives_references_only():
    text = b"License: GPL-2, it says.\nSee /usr/share/common-licenses/GPL-2.\n`/usr/share/common-licenses/LGPL-2.1'"
    assert licenses(named(text)) == ("GPL-2", "LGPL-2.1")
    assert named(b"All rights reserved.") == []


def test_references_stand_in_where_no_name_is_given():
    assert licenses(named(f"{HEAD}\nLicense:\n /usr/share/common-licenses/Apache-2.0\n".encode())) == ("Apache-2.0",)


def test_a_reference_in_the_text_of_a_named_licence_adds_nothing():
    text = f"{HEAD}\nLicense: GPL-3+\n On Debian see /usr/share/common-licenses/GPL-3.\n"
    assert licenses(named(text.encode())) == ("GPL-3.0-or-later",)


def test_cut_anywhere():
    data = SAMPLE.encode()
    for length in range(len(data) + 1):
        assert all(isinstance(name, str) for name in licenses(named(data[:length])))


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_break_it(data):
    licenses(named(data))
    licenses(named(SAMPLE.encode() + data))
