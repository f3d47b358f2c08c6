"""The version that fixes all."""

from __future__ import annotations

import pytest

from anchorecli.versions.advice import fixed_by_all


@pytest.mark.parametrize(
    ("scheme", "fixes", "version"),
    [
        ("npm", [["1.2.5"]], "1.2.5"),
        ("npm", [["1.2.5"], ["1.3.0"], ["1.2.9"]], "1.3.0"),
        ("npm", [["1.2.5", "2.0.3"], ["1.2.7"]], "1.2.7"),
        ("npm", [["1.2.5", "2.0.3"], ["1.3.0"]], "2.0.3"),
        ("npm", [["1.2.5", "2.0.3"], ["2.0.0"]], "2.0.3"),
        ("npm", [["1.2.5", "2.0.3"], ["3.0.0"]], "3.0.0"),
        ("pep440", [["3.2.17", "4.0.9", "4.1.6"], ["4.0.10", "4.1.7"]], "4.0.10"),
        ("pep440", [["3.2.17", "4.0.9", "4.1.6"], ["4.0.8"]], "4.0.9"),
        ("deb", [["1:2.3-4"], ["1:2.3-4+deb12u1"], ["1:2.3-4+deb12u2"]], "1:2.3-4+deb12u2"),
        ("go", [["1.21.11", "1.22.4"], ["1.21.12", "1.22.5"], ["1.22.3"]], "1.22.5"),
        ("gem", [["2.2.8.1", "3.0.9.1"], ["2.2.8"]], "2.2.8.1"),
        ("npm", [["1.2.5"], []], ""),
        ("npm", [], ""),
        ("npm", [["latest"], ["1.0.0"]], ""),
    ],
)
def test_the_smallest_version_that_fixes_all(scheme: str, fixes: list[list[str]], version: str) -> None:
    assert fixed_by_all(scheme, fixes) == version
    assert fixed_by_all(scheme, [list(reversed(each)) for each in reversed(fixes)]) == version
