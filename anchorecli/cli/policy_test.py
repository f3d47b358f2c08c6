"""``anchore policy test``: cases of images and verdicts, run like unit tests."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from anchorecli.cli.app import Start
from anchorecli.cli.options import option
from anchorecli.cli.policy import write_lines
from anchorecli.errors import EXIT_PASS, EXIT_STOP

if TYPE_CHECKING:
    from anchorecli.cli.app import App
    from anchorecli.model import Verdict
    from anchorecli.policy.authoring.testing import Result
    from anchorecli.policy.values import Bundle


@click.command()
@click.argument("files", metavar="CASES...", nargs=-1, required=True, type=click.Path(dir_okay=False))
@option("--junit", metavar="FILE", default="", help="Write the results as JUnit XML as well.")
@option("-k", "--match", "words", metavar="TEXT", default="", help="Run only cases whose name holds TEXT.")
@click.pass_obj
def test(start: Start, files: Sequence[str], junit: str, words: str) -> int:
    """Run cases: images and what a bundle should say of them.

    A case is a small image told in YAML, a JSON report, or a stored evaluation, with the verdict and the findings that
    are expected: see docs/policy-testing.md. Exit code 1 where a case fails, 2 where a file of cases is wrong.
    """
    from anchorecli.policy.authoring.testing import read_cases, run_case

    with start.app(readonly=True) as app:
        # Every file is read before anything runs: a mistake in the last one costs no time.
        cases = [case for file in files for case in read_cases(file, app.now) if words.lower() in case.name.lower()]
        results = [run_case(case, lambda number, bundle, now: _again(app, number, bundle, now)) for case in cases]
    write_lines(line for result in results for line in _lines(result, quiet=start.quiet))
    failed = sum(not result.ok for result in results)
    sys.stdout.write(f"{len(results) - failed} passed, {failed} failed\n")
    if junit:
        from anchorecli.cli.output import write_file
        from anchorecli.policy.authoring.junit import junit as render

        write_file(Path(junit), (render(results),))
    return EXIT_STOP if failed else EXIT_PASS


def _lines(result: Result, *, quiet: bool) -> list[str]:
    case = result.case
    if result.ok:
        return [] if quiet else [f"ok    {case.name}"]
    return [f"FAIL  {case.name}  ({case.path}:{case.line})", *(f"      {line}" for line in result.differences)]


def _again(app: App, number: str, bundle: Bundle, now: str) -> Verdict:
    """What a bundle says of a stored evaluation. Raises: NotFoundError, StoreError."""
    from anchorecli.errors import NotFoundError
    from anchorecli.scan.past import decide_again, find, inputs_of
    from anchorecli.values import replace

    subject = find(app.store, number)
    if subject.kept is None:
        raise NotFoundError(f"no stored evaluation is called {number}", hint="`anchore history` lists them")
    inputs = inputs_of(app.store, subject.kept)
    if now:
        inputs = replace(inputs, occasion=replace(inputs.occasion, now=now))
    decision = decide_again(app.store, replace(inputs, bundle=bundle))
    verdict: Verdict | None = decision.report.verdict
    if verdict is None:
        raise NotFoundError(f"evaluation {number} has no verdict", hint="`anchore history` lists those that have one")
    return verdict
