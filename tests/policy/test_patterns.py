"""Wildcards and bounded regular expressions."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anchorecli.errors import LimitError
from anchorecli.patterns.automaton import Automaton, parse, required_text
from anchorecli.policy.patterns import Pattern, regex_fault, wildcard_fault, wildcard_matches


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("*", "", True),
        ("*", "anything", True),
        ("debian", "debian", True),
        ("debian", "debian2", False),
        ("deb*", "debian", True),
        ("*ian", "debian", True),
        ("d*b*n", "debian", True),
        ("d*x*n", "debian", False),
        ("a*a", "a", False),
        ("a*a", "aa", True),
        ("*+openssl", "CVE-2019-1+openssl", True),
        ("CVE-2019-1+*", "CVE-2019-1+openssl", True),
        ("CVE-2019-1+*", "CVE-2019-10+openssl", False),
        ("a.c", "abc", False),
        ("[ab]", "a", False),
        ("v1.?", "v1.2", False),
        ("regexp:deb.an", "debian", True),
        ("regexp:deb", "debian", True),
        ("regexp:bian", "debian", False),
        ("**", "x", True),
        ("*a*a*a*a*a*a*a*b", "a" * 5000, False),
    ],
)
def test_wildcards(pattern, text, expected):
    assert wildcard_matches(pattern, text) is expected


@pytest.mark.parametrize(
    ("pattern", "subject"),
    [
        (r"(a+)+$", "a" * 3000 + "b"),
        (r"(a|aa)+$", "a" * 3000 + "b"),
        (r"(\w+\s?)*$", "word " * 1000 + "!"),
        (r".*a.*a.*a.*a.*a.*b", "a" * 3000),
        (r"a?" * 40 + "a" * 40, "a" * 39),
        (r"((a{0,30}){0,30})b", "a" * 3000),
    ],
)
def test_catastrophic_expressions_answer(pattern, subject):
    assert Pattern(pattern).matches(subject) is False


def test_a_budget_used_up_is_an_error_not_an_answer():
    automaton = Automaton(r".*a.*a.*b", budget=1000)
    with pytest.raises(LimitError, match="too many steps"):
        automaton.matches("a" * 2000)


def test_the_budget_covers_what_a_look_ahead_takes():
    automaton = Automaton(r"(?:(?!.*b)a)+b", budget=20_000)
    with pytest.raises(LimitError):
        automaton.matches("a" * 2000)


@pytest.mark.parametrize(
    ("pattern", "fault"),
    [
        ("[", "unterminated character set"),
        ("x" * 2001, "longer than 2000"),
        (r"(.*)x\1y", "groupref is not supported"),
        (r"(?>.*)x(.*)y", "atomic group is not supported"),
        (r".*+x.*y", "possessive repeat is not supported"),
        (r"(a{1,90}){1,90}b", "repetitions are too large"),
        ("(" * 900 + ")" * 900, "nested too deeply"),
    ],
)
def test_unusable_expressions_are_explained(pattern, fault):
    assert fault in regex_fault(pattern)
    assert fault in wildcard_fault("regexp:" + pattern)


@pytest.mark.parametrize("pattern", ["", "abc", r"^/usr/(lib|share)/.*\.jar$", r"(a)\1", r"(a+)+$", r".*x.*y.*z"])
def test_usable_expressions_have_no_fault(pattern):
    assert regex_fault(pattern) == ""


CASES = [
    (r"(?i)AbC", ["abc", "ABC", "xabc"]),
    (r"a$", ["a", "a\n", "a\n\n", "ab"]),
    (r"a\Z", ["a", "a\n"]),
    (r"(?m)a$\n^b", ["a\nb", "a b"]),
    (r"\Aab", ["ab", "xab"]),
    (r"\B", ["", "a", "-"]),
    (r"\bfoo\b", ["foo", "foo bar", "foobar"]),
    (r"\Bfoo", ["foo", "xfoo"]),
    (r"x?\Bfoo", ["xfoo", "foo"]),
    (r".b", ["ab", "\nb"]),
    (r"(?s).b", ["ab", "\nb"]),
    (r"[^a-c]d", ["ad", "dd", "\nd"]),
    (r"(?i)[^a-c]d", ["Ad", "dD"]),
    (r"\d+\s\w*\D\S\W", ["12 ab-c.", "1 x", "12 abcd"]),
    (r"a(?=b)", ["ab", "ac"]),
    (r"a(?!b)", ["ab", "ac", "a"]),
    (r"ab(?<=ab)c", ["abc"]),
    (r"ab(?<!ab)c", ["abc"]),
    (r"..(?<!ab)c", ["abc", "xbc"]),
    (r"a{2,3}b", ["ab", "aab", "aaab", "aaaab"]),
    (r"(a|b)*?c", ["ababc", "c", "abx"]),
    (r"(?:a|)b", ["b", "ab"]),
    (r"(?i:a)b", ["Ab", "AB"]),
    (r"(?!)", ["", "a"]),
    (r"()*a", ["a", "b"]),
    (r"(a*)*b", ["aaab", "aaa"]),
    (r"(?a)\w", ["é", "e"]),
]


@pytest.mark.parametrize(("pattern", "subjects"), CASES)
def test_the_automaton_agrees_with_re(pattern, subjects):
    for subject in subjects:
        assert Automaton(pattern).matches(subject) is (re.match(pattern, subject) is not None), subject


atoms = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", r"\w", r"\b", "^", "$", "(?=a)", "(?!b)", "(?<=a)", "é"])
expressions = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda pair: f"(?:{pair[0]}|{pair[1]})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "*?", "{1,3}", "{2}"])).map(
            lambda pair: f"(?:{pair[0]}){pair[1]}"
        ),
    ),
    max_leaves=6,
)


@settings(max_examples=400, deadline=None)
@given(expressions, st.text(alphabet="abAé \n", max_size=7))
def test_the_automaton_agrees_with_re_on_anything(pattern, subject):
    assert Automaton(pattern).matches(subject) is (re.match(pattern, subject) is not None)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="ab*", max_size=8), st.text(alphabet="ab", max_size=8))
def test_wildcards_agree_with_a_regular_expression(pattern, text):
    regex = ".*".join(re.escape(piece) for piece in pattern.split("*"))
    assert wildcard_matches(pattern, text) is (re.fullmatch(regex, text) is not None)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(["", "(?i)", "(?s)"]),
    expressions,
    st.text(alphabet="abA", max_size=3),
    st.lists(st.text(alphabet="abAé \n", max_size=7), max_size=6),
)
def test_many_texts_are_selected_as_re_would_one_by_one(flags, pattern, literal, subjects):
    whole = f"{flags}{pattern}{literal}{pattern}"
    assert Pattern(whole).select(subjects) == [subject for subject in subjects if re.match(whole, subject)]


@pytest.mark.parametrize(("pattern", "subjects"), CASES)
def test_one_text_is_selected_where_it_matches(pattern, subjects):
    assert Pattern(pattern).select(subjects) == [subject for subject in subjects if re.match(pattern, subject)]


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r".*/\.ssh/id_.*\.pub$", "/.ssh/id_"),
        (r"(?i).*\.PEM", ""),
        (r"(?i:x)abc", "abc"),
        (r"(a|b)c(de)+f?", "de"),
        (r"x?y*", ""),
        (r"^/etc/\bpasswd$", "/etc/passwd"),
        (r"a(?=bcd)e", "a"),
    ],
)
def test_the_text_that_every_match_holds(pattern, text):
    assert required_text(parse(pattern)) == text


@pytest.mark.parametrize("pattern", [r".*a.*a.*a.*a.*b", r"(a+)+b", r"(a|aa)+b"])
def test_many_texts_against_a_catastrophic_expression(pattern):
    subjects = ["a" * length for length in range(0, 400)] + ["ab"]
    assert Pattern(pattern).select(subjects) == [
        subject for subject in subjects if subject.endswith("b") and "+" in pattern
    ]


def test_the_budget_for_many_texts_grows_with_them_and_ends():
    # Ten thousand paths of 100 characters with nothing to narrow them down: an answer, where one by one gives up.
    subjects = [f"/{number:099}" for number in range(10_000)]
    assert Pattern(r".*[0-9].*[a-z].*[A-Z]").select(subjects) == []
    with pytest.raises(LimitError):
        Pattern(r"(?:(?!.*b)a)+[bc]").select(["a" * 2_000] * 5)
