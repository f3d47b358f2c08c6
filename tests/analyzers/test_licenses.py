"""Licence names become SPDX where the meaning is certain, and stay as written where it is not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anchorecli.analyzers.licenses import _identifiers, expression, normalise, referenced
from anchorecli.spdx import IDS


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("MIT", "MIT"),
        ("mit", "MIT"),
        ("Expat", "MIT"),
        ("GPL-2+", "GPL-2.0-or-later"),
        ("GPL-2", "GPL-2.0-only"),
        ("GPL-2.0+", "GPL-2.0-or-later"),
        ("GPL-2.0-or-later", "GPL-2.0-or-later"),
        ("LGPL-2.1+", "LGPL-2.1-or-later"),
        ("LGPL-2+", "LGPL-2.0-or-later"),
        ("AGPL-3", "AGPL-3.0-only"),
        ("GFDL-1.3+", "GFDL-1.3-or-later"),
        ("GFDL-NIV-1.3+", "GFDL-1.3-no-invariants-or-later"),
        ("BSD-3-clause", "BSD-3-Clause"),
        ("GPLv2+", "GPL-2.0-or-later"),
        ("GPLv3", "GPL-3.0-only"),
        ("ASL 2.0", "Apache-2.0"),
        ("MPLv2.0", "MPL-2.0"),
        ("zlib", "Zlib"),
        ("Apache License,\n   Version 2.0", "Apache-2.0"),
        ("GNU General Public License v3 or later (GPLv3+)", "GPL-3.0-or-later"),
        ("ISC License (ISCL)", "ISC"),
        ("GPL-2+ or Expat", "GPL-2.0-or-later OR MIT"),
        ("GPLv2+ and ASL 2.0", "GPL-2.0-or-later AND Apache-2.0"),
        ("(MIT or apache-2.0) and BSD-2-clause", "(MIT OR Apache-2.0) AND BSD-2-Clause"),
        ("GPL-2+ with Classpath exception", "GPL-2.0-or-later WITH Classpath-exception-2.0"),
        ("Apache-2.0 WITH LLVM-exception", "Apache-2.0 WITH LLVM-exception"),
    ],
)
def test_certain_names(written, expected):
    assert expression(written) == expected


@pytest.mark.parametrize(
    "written",
    """BSD; GPL; LGPL; LGPLv2+; LGPLv2; public-domain; Artistic; Apache Software License; custom; Public Domain and MIT
    and MIT; MIT and; MIT or or MIT; (MIT; MIT); (); MIT (MIT); MIT, ISC""".replace("\n    ", "; ").split("; "),
)
def test_uncertain_names_stay(written):
    assert expression(written) == written


def test_reference_to_a_common_licence_does_not_guess_later_versions():
    assert referenced("/usr/share/common-licenses/GPL-2") == "GPL-2"
    assert referenced("LGPL-2.1") == "LGPL-2.1"
    assert referenced("Apache-2.0") == "Apache-2.0"
    assert referenced("MPL-1.1") == "MPL-1.1"
    assert referenced("BSD") == "BSD"


def test_normalise_drops_repetitions_and_keeps_order():
    assert normalise(["Expat", "", " ", "GPL-2+", "MIT"]) == ("MIT", "GPL-2.0-or-later")


def test_every_name_leads_to_an_identifier():
    assert {name for name in _identifiers().values() if name not in IDS} == set()


def test_a_licence_text_is_cut():
    assert len(expression("word " * 100_000)) <= 1000


@settings(deadline=None)
@given(st.lists(st.sampled_from(["MIT", "GPL-2+", "x", "and", "or", "with", "(", ")", " "]), max_size=12).map(" ".join))
def test_an_expression_is_its_own_expression(text):
    once = expression(text)
    assert expression(once) == once


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_has_an_answer(text):
    assert isinstance(expression(text), str)
