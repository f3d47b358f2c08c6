"""The table for people: what stands where, what is counted instead of listed, and that nothing breaks out of it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anchorecli.model import Action, Layer, Problem, Report, Severity, Status, Verdict
from anchorecli.report import RenderOptions
from anchorecli.report.instructions import instruction
from anchorecli.report.table import Table
from anchorecli.report.table_header import age, reason
from anchorecli.report.text import cells
from tests.report import samples
from tests.report.test_text import NASTY

ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


def render(report: Report, **options: object) -> str:
    return Table().render(report, RenderOptions(**options))  # type: ignore[arg-type]


@pytest.mark.parametrize("width", [60, 80, 100, 120, 160])
@pytest.mark.parametrize("everything", [False, True])
def test_lines_keep_to_the_width(width: int, everything: bool) -> None:
    for report in (samples.report(), samples.indeterminate_report(), samples.large_report()):
        for line in render(report, width=width, all=everything).splitlines():
            assert cells(line) <= width, line


@pytest.mark.parametrize("make", [samples.report, samples.indeterminate_report, samples.hostile_report])
def test_colour_changes_no_word(make: object) -> None:
    report = make()  # type: ignore[operator]
    colored = render(report, color=True, all=True, verbose=1)
    assert colored.count("\x1b[") > 10
    plain = "\n".join(line.rstrip() for line in ESCAPE.sub("", colored).split("\n"))
    assert plain == render(report, all=True, verbose=1)


def harmless(text: str) -> bool:
    lines = text.split("\n")
    return all(line.isprintable() and not line.strip().startswith("::") for line in lines) and not re.search(
        r"##\w*\[", text
    )


def test_nothing_breaks_out_of_the_table() -> None:
    for verbose in (0, 1):
        assert harmless(render(samples.hostile_report(), all=True, verbose=verbose))
        assert harmless(render(samples.hostile_report(), verbose=verbose))


@settings(max_examples=60, deadline=None)
@given(NASTY, st.sampled_from([60, 80, 120]))
def test_no_text_breaks_out_of_the_table(text: str, width: int) -> None:
    package = replace(samples.REQUESTS, name=text, version=text)
    base = samples.report()
    report = replace(
        base,
        analysis=replace(base.analysis, image=samples.image(("ADD", text, text, text))),
        matches=(samples.match(text, package, Severity.HIGH, [text, text], aliases=(text,), summary=text),),
        problems=(Problem("analyze", text, text, text),),
        bundle_name=text,
    )
    assert harmless(render(report, width=width, all=True, verbose=1))


def test_a_book_from_a_feed_is_cut() -> None:
    report = samples.report(problems=(Problem("feeds", "osv", "word " * 100_000),))
    assert len(render(report)) < 10_000


def test_indeterminate_puts_the_gaps_before_the_vulnerabilities() -> None:
    text = render(samples.indeterminate_report())
    assert text.index("INDETERMINATE") < text.index("INCOMPLETE EVIDENCE") < text.index("VULNERABILITIES")
    assert "run: anchore feeds sync" in text


def test_otherwise_the_gaps_come_after_what_was_found() -> None:
    text = render(samples.report(problems=(samples.GAP,)))
    assert text.index("VULNERABILITIES") < text.index("INCOMPLETE EVIDENCE")
    assert samples.GAP.hint in text


def test_minor_undecided_and_suppressed_matches_are_counted() -> None:
    text = render(samples.report())
    assert "CVE-2013-0337" not in text
    assert "CVE-2026-2222" not in text
    assert "CVE-2024-22195" not in text
    flat = " ".join(text.split())
    assert (
        "Not listed: 11 low, 1 negligible, 1 of unknown severity without a fix; "
        "1 undecided since a version could not be compared (1 high); 1 suppressed (--all lists them)"
    ) in flat


def test_what_is_not_listed_is_counted_as_the_head_counts_it() -> None:
    twins = [samples.deb("libc6", "2.36-9"), samples.deb("libc-bin", "2.36-9")]
    matches = tuple(samples.match("CVE-1", package, Severity.NEGLIGIBLE) for package in twins)
    text = render(samples.report(matches=matches, verdict=None))
    assert "1 vulnerability in 2 packages: 1 negligible" in text
    assert "Not listed: 1 negligible (--all lists them)" in text


def test_all_lists_them() -> None:
    text = render(samples.report(), all=True)
    assert "Not listed" not in text
    assert "--all" not in text
    for match in samples.matches():
        assert match.id in text
    assert "owned by python3-jinja2" in text
    assert "allowed by allow-7: jo@example.org: HTTP/2" in text


def test_a_minor_vulnerability_that_stops_the_image_is_listed() -> None:
    match = samples.match("CVE-1", samples.NGINX, Severity.LOW)
    stop = samples.finding(Action.STOP, "CVE-1+nginx", "CVE-1 in nginx", match_id="CVE-1")
    report = samples.report(matches=(match,), verdict=Verdict(Status.FAIL, Action.STOP, "policy_evaluation", (stop,)))
    assert "LOW        CVE-1" in render(report)
    allowed = Verdict(Status.PASS, Action.GO, "policy_evaluation", (replace(stop, allowed_by="a"),))
    assert "LOW        CVE-1" not in render(replace(report, verdict=allowed))


def test_the_worst_are_listed_first_whatever_layer_they_are_in() -> None:
    packages = [samples.deb(f"p{n:03}", "1", layer=n % 4) for n in range(200)]
    matches = [samples.match(f"CVE-{n}", p, Severity.MEDIUM) for n, p in enumerate(packages[:150])]
    matches += [samples.match(f"CVE-{n + 150}", p, Severity.CRITICAL) for n, p in enumerate(packages[150:])]
    text = render(samples.report(matches=tuple(matches), verdict=None))
    assert text.count("    CRITICAL ") == 50
    assert text.count("    MEDIUM ") == 10
    assert "... and 140 more packages: 140 medium (--all lists them)" in text


def test_the_instruction_stands_once_above_what_it_brought() -> None:
    text = render(samples.report())
    assert text.count("base image layer") == 1
    assert text.count("layer 3: RUN pip install --no-cache-dir -r requirements.txt") == 1
    assert text.index("layer 3:") < text.index("requests 2.28.0")


def test_one_layer_needs_no_title() -> None:
    assert "base image" not in render(samples.indeterminate_report())


def test_starter_matches_are_labelled_with_date_and_size() -> None:
    text = " ".join(render(samples.report()).split())
    assert "CVE-2023-32681*" in text
    assert "CVE-2024-35195*" not in text
    assert "* from the built-in starter feed of 2026-10-01 (1,204 records): not fresh evidence" in text


def test_binary_packages_of_one_source_share_a_vulnerability() -> None:
    text = render(samples.report())
    assert text.count("    CRITICAL   CVE-2024-5535") == 1
    assert "openssl 3.0.11-1~deb12u2  deb: libssl3" in text


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        (Verdict(Status.PASS, Action.GO, "policy_evaluation"), "no rule of the policy says stop"),
        (Verdict(Status.FAIL, Action.STOP, "blacklisted"), "the policy blocks this image by name"),
        (Verdict(Status.PASS, Action.GO, "whitelisted"), "the policy trusts this image by name"),
        (Verdict(Status.PASS, Action.GO, "no_mapping"), "no mapping of the policy speaks of this image"),
        (
            Verdict(Status.FAIL, Action.STOP, "policy_evaluation", samples.findings()),
            "the policy says stop: 3 findings (vulnerabilities/package); 1 warning",
        ),
        (
            Verdict(Status.INDETERMINATE, Action.GO, "evidence", problems=(samples.GAP, samples.REMARK)),
            "the evidence does not allow a verdict: 1 problem below",
        ),
    ],
)
def test_the_reason_of_a_verdict(verdict: Verdict, words: str) -> None:
    assert reason(verdict) == words


def test_nothing_found_in_part_of_an_image_is_not_nothing() -> None:
    assert "The feeds know of no vulnerability." in render(samples.clean_report())
    partial = replace(samples.clean_report(), problems=(samples.GAP,))
    assert "The feeds know of no vulnerability in what could be seen." in render(partial)
    assert "No feed was asked for vulnerabilities." in render(samples.unevaluated_report())
    empty = replace(samples.clean_report(), analysis=replace(samples.clean_report().analysis, packages=()))
    assert "No package was found, so there was nothing to ask the feeds about." in render(empty)


def test_the_verdict_is_repeated_where_it_has_scrolled_away() -> None:
    assert render(samples.report()).count("\nFAIL  ") == 2
    assert render(samples.clean_report()).count("\nPASS  ") == 1


@pytest.mark.parametrize(
    ("since", "text"),
    [
        ("2026-11-21T10:29:50Z", "0 min"),
        ("2026-11-21T08:31:00Z", "119 min"),
        ("2026-11-21T05:30:00+00:00", "5 h"),
        ("2026-11-01T10:30:00Z", "20 d"),
        ("2026-11-22T10:30:00Z", "0 min"),
        ("yesterday", ""),
        ("2026-11-21T05:30:00", ""),
    ],
)
def test_age(since: str, text: str) -> None:
    assert age(since, samples.NOW) == text


@pytest.mark.parametrize(
    ("recorded", "line"),
    [
        ('/bin/sh -c #(nop)  CMD ["bash"]', 'CMD ["bash"]'),
        ("/bin/sh -c apt-get update", "RUN apt-get update"),
        ("RUN /bin/sh -c apt-get update # buildkit", "RUN apt-get update"),
        ("|2 A=1 B=x y /bin/sh -c make", "RUN make"),
        ("RUN |1 A=1 /bin/sh -c make # buildkit", "RUN make"),
        ("/bin/bash -o pipefail -c make", "/bin/bash -o pipefail -c make"),
        ("COPY app /srv # buildkit", "COPY app /srv"),
        ("bazel build //:image", "bazel build //:image"),
        ("RUN set -eux; \tmake \\\n  install", "RUN set -eux; make \\ install"),
        ("", ""),
    ],
)
def test_instruction(recorded: str, line: str) -> None:
    assert instruction(recorded) == line


def test_a_layer_without_history_has_a_number() -> None:
    base = samples.report()
    image = replace(base.analysis.image, layers=(*base.analysis.image.layers[:1], Layer(samples.diff_id(1))))
    text = render(replace(base, analysis=replace(base.analysis, image=image)))
    assert "\nlayer 1\n  nginx" in text
    assert "\nlayer unknown\n  requests" in text


@pytest.mark.parametrize(
    ("data_of", "said"), [("2026-02-01T00:00:00Z", True), ("2026-11-01T00:00:00Z", False), ("", False), ("x", False)]
)
def test_the_age_of_the_data_is_told_where_the_sync_is_much_younger(data_of: str, said: bool) -> None:
    feed = replace(samples.DEBIAN, updated_at="2026-11-21T06:14:00Z", source_date=data_of)
    text = " ".join(render(samples.report(feeds=(feed,))).split())
    assert (f"old, data of {data_of[:10]})" in text) is said


def test_the_age_of_many_feeds_that_were_synced_at_once_is_told_once() -> None:
    at = "2026-11-21T06:1{}:00Z"
    feeds = [replace(samples.DEBIAN, name=f"f{n}", updated_at=at.format(n), source_date="") for n in range(5)]
    feeds[1] = replace(feeds[1], source_date="2020-02-02T00:00:00Z")
    late = replace(samples.DEBIAN, name="late", updated_at="2026-11-01T00:00:00Z", source_date="")
    never = replace(samples.DEBIAN, name="never", updated_at="", source_date="")
    text = " ".join(render(samples.report(feeds=(*feeds, late, never))).split())
    oldest = age(feeds[0].updated_at, samples.report().created_at)
    told = f"feeds 5 at most {oldest} old: f0, f1 (data of 2020-02-02), f2, f3, f4, late ("
    assert told in text
    assert ", never (never synced)" in text
    few = " ".join(render(samples.report(feeds=(*feeds[:3], never))).split())
    assert f"feeds f0 ({oldest} old)" in few


def test_where_everything_came_with_the_base_image_all_is_said() -> None:
    base = samples.report()
    brought = tuple(layer.diff_id for layer in base.analysis.image.layers)
    assert re.search(r"\n  All \d+ came with the", render(replace(base, base=brought)))


def test_feeds_from_the_future_do_not_look_fresh() -> None:
    feeds = [replace(samples.DEBIAN, name=f"f{n}", updated_at="2031-01-02T03:04:05Z", source_date="") for n in range(4)]
    told = f"synced 2031-01-02, after this report's {samples.report().created_at[:10]}"
    assert f"feeds 4 {told}: f0, f1" in " ".join(render(samples.report(feeds=tuple(feeds))).split())
    assert f"feeds f0 ({told})" in " ".join(render(samples.report(feeds=(feeds[0],))).split())
