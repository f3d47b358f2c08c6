"""The sieve before the search for credentials: it never holds back a file in which the search finds something."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchorecli.analyzers.demand import sieve as module
from anchorecli.analyzers.demand.secret_rules import FILES, NEEDLES, TOKENS
from anchorecli.analyzers.demand.secrets import SecretAnalyzer, search
from anchorecli.analyzers.demand.sieve import PATIENCE, LayerSieve, installed, sieve
from tests.analyzers.demand.test_secrets import BEGINNINGS, CASES, example, pem
from tests.analyzers.view import MemoryFile, make_view

NEEDLE = re.compile(b"|".join(NEEDLES))
"""The same expressions by Python's own engine."""
TAILS = [
    (
        prefix
        + example(re.sub(r"^.*?" + re.escape(re.escape(prefix.decode())), "", rule.pattern.pattern.decode())).encode()
    )
    for prefix, rule in TOKENS
]
WHOLE = [*(case.encode() for case in CASES.values()), *TAILS, pem().encode()]
PIECES = [*WHOLE, *(text.encode() for text in BEGINNINGS), b"\0", b"\n", b" ", b"=", b"x", b"Shared", b"lorem ipsum\n"]
TEXTS = st.lists(
    st.one_of(
        st.sampled_from(PIECES),
        st.tuples(st.sampled_from(WHOLE), st.integers(0, 60)).map(lambda cut: cut[0][cut[1] :]),
        st.binary(max_size=8),
    ),
    max_size=6,
).map(b"".join)

needs_engine = pytest.mark.skipif(not installed(), reason="needs hyperscan")


@pytest.fixture(autouse=True)
def _anew() -> Iterator[None]:
    """Each test asks for the engine by itself."""
    module._database.cache_clear()
    module.installed.cache_clear()
    yield
    module._database.cache_clear()
    module.installed.cache_clear()


def files(*contents: bytes, name: str = "f") -> list[MemoryFile]:
    return [MemoryFile(f"srv/{number}/{name}", content) for number, content in enumerate(contents)]


@pytest.mark.parametrize("text", WHOLE)
def test_every_credential_has_a_needle_in_it(text: bytes) -> None:
    assert search(text)
    assert NEEDLE.search(text)


@given(TEXTS)
def test_what_the_search_finds_has_a_needle_in_it(text: bytes) -> None:
    assert NEEDLE.search(text) or not search(text)


@needs_engine
@given(st.lists(TEXTS, min_size=1, max_size=5))
def test_the_engine_names_the_files_that_python_finds_a_needle_in(texts: list[bytes]) -> None:
    named = set(LayerSieve(patience=0)(files(*texts)))
    assert named >= {place for place, text in enumerate(texts) if NEEDLE.search(text)}
    assert named >= {place for place, text in enumerate(texts) if search(text)}


@needs_engine
def test_only_files_with_a_needle_are_named_wherever_it_stands() -> None:
    token = CASES["NPM_TOKEN"].encode()
    texts = [b"x" * 5000, token, b"", b"lorem " * 1000 + token, b"a_b-c.d:e", token + b"\n" * 9, b"y"]
    assert list(LayerSieve(patience=0)(files(*texts))) == [1, 3, 5]


@needs_engine
@pytest.mark.parametrize("cut", [1, 4, 5, 20])
def test_a_needle_on_the_border_of_two_files_hides_nothing_of_either(cut: int) -> None:
    token = CASES["GITHUB_TOKEN"].encode()
    texts = [b"a" + token[:cut], token[cut:] + b"\n", b"b\n" + token, token + b"\nb", b"c"]
    named = list(LayerSieve(patience=0)(files(*texts)))
    assert {2, 3} <= set(named) and 4 not in named
    assert [place for place, text in enumerate(texts) if search(text)] == [2, 3]


@needs_engine
@pytest.mark.parametrize("name", FILES)
def test_files_whose_name_says_it_are_always_searched(name: str) -> None:
    assert list(LayerSieve(patience=0)([*files(b"nothing"), *files(b"password", name=name)])) == [1]


@needs_engine
def test_the_same_is_found_with_it() -> None:
    texts = {f"d{number}/file": b"lorem\n" * (number % 50) + text for number, text in enumerate(PIECES)}
    texts |= {"root/.netrc": b"machine a login b password 8dkRt3hsWq\n", "bin/x": b"\0" + CASES["NPM_TOKEN"].encode()}
    # More than its patience first, then everything.
    layer = {f"filler{number}": b"a_b-c.d\n" * 64_000 for number in range(PATIENCE // 512_000 + 3)} | texts
    analyzer = SecretAnalyzer.of("")
    found = analyzer.assemble(make_view(analyzer, [layer])).secrets
    expected = {(path, each.rule) for path, text in texts.items() for each in search(text, path)}
    assert {(secret.path, secret.rule) for secret in found} == expected
    assert len(expected) > len(CASES)


def test_a_small_layer_is_searched_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_database", lambda: pytest.fail("the engine was made"))
    ask = LayerSieve(patience=100)
    assert [list(ask(files(b"x" * 60, b"y"))), list(ask(files(b"x" * 60)))] == [[0, 1], [0]]


def test_without_hyperscan_every_file_is_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    assert sieve() is None
    monkeypatch.setattr(module, "_database", lambda: None)
    assert list(LayerSieve(patience=0)(files(b"x", b"y"))) == [0, 1]


class EngineError(Exception):
    """What Hyperscan raises."""


def failing(where: str) -> Any:
    """Stands for Hyperscan where one of its steps gives an error."""

    def fail(*_: object, **__: object) -> None:
        raise EngineError("no")

    def database(mode: int) -> Any:
        return SimpleNamespace(**{"compile": lambda **_: None, "scan": lambda *_, **__: None, where: fail})

    return SimpleNamespace(HS_MODE_BLOCK=1, error=EngineError, Database=database, Scratch=lambda of: of)


@pytest.mark.parametrize("where", ["compile", "scan"])
def test_where_the_engine_fails_every_file_is_searched(monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    monkeypatch.setitem(sys.modules, "hyperscan", failing(where))
    ask = LayerSieve(patience=0)
    assert [sorted(ask(files(b"x", b"y"))) for _ in range(2)] == [[0, 1], [0, 1]]
