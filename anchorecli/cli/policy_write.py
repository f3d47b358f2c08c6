"""``anchore policy init`` and ``convert``: bundles written to files."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from anchorecli.cli.app import Start
from anchorecli.cli.options import option
from anchorecli.errors import UsageError

_PRESETS = ("default", "ci", "strict", "cis-docker", "fixable-critical", "audit-only")
"""As in ``policy.starters``, which a test compares: the help of a command must not import the policy."""


@click.command()
@click.argument("file", type=click.Path(dir_okay=False), default="policy.yaml")
@option("--preset", type=click.Choice(_PRESETS), default="default", help="What to start from [default: default].")
@option("--with-tests", is_flag=True, help="Write cases for `anchore policy test` beside it.")
@option("--overwrite", is_flag=True, help="Replace FILE if it is there.")
@click.pass_obj
def init(start: Start, file: str, preset: str, with_tests: bool, overwrite: bool) -> None:
    """Write a commented bundle to FILE, as a start for one's own.

    FILE is policy.yaml where none is given, and - is standard output.

    \b
      default           the built-in policy: serious vulnerabilities with a fix stop
      ci                stop what can be mended now, and credentials; fail closed
      strict            for production: nothing known to be wrong, nothing taken on trust
      cis-docker        CIS Docker Benchmark, section 4, as far as an image can answer
      fixable-critical  stop critical vulnerabilities that have had a fix for a week
      audit-only        report everything, never fail
    """
    from anchorecli.policy.authoring.starters import cases
    from anchorecli.policy.authoring.starters import preset as text_of

    if file == "-":
        sys.stdout.write(text_of(preset))
        return
    path = Path(file)
    texts = {path: text_of(preset)}
    if with_tests:
        texts[path.with_name(f"{path.stem}.cases.yaml")] = cases(preset, path.name)
    for each in texts:
        if each.exists() and not overwrite:
            raise UsageError(f"{each} is there already", hint="choose another name, or --overwrite")
    for each, text in texts.items():
        _write(str(each), text)
    with start.app() as app:
        app.note(f"wrote {' and '.join(map(str, texts))}; use it with: anchore scan --policy {file} IMAGE")


@click.command()
@click.argument("file", type=click.Path(dir_okay=False))
@option("-o", "--output", default="yaml", metavar="FORMAT[=FILE]", help="yaml or json [default: yaml].")
@option("--to", "version", type=click.Choice(["1_0", "2"]), default="1_0", help="The bundle format [default: 1_0].")
def convert(file: str, output: str, version: str) -> None:
    """Write a bundle in another form, with all its parts resolved.

    YAML has readable parameters, JSON the original's list of names and strings; format 2 has Enterprise's words. The
    digest stays the same. Comments (#) are lost.
    """
    from anchorecli.policy.authoring.converting import to_json, to_yaml
    from anchorecli.policy.bundle import load_bundle, parse_bundle

    form, _, path = output.partition("=")
    if form not in ("yaml", "json"):
        raise UsageError(f"unknown form {form!r}", hint="-o yaml or -o json, to a file: -o json=bundle.json")
    bundle = load_bundle(file)
    text = (to_yaml if form == "yaml" else to_json)(bundle, version)
    if parse_bundle(text).digest != bundle.digest:
        raise UsageError(f"{file} cannot be written as {form} without a change of meaning", hint="report this as a bug")
    if path and path != "-":
        _write(path, text)
    else:
        sys.stdout.write(text)


def _write(path: str, text: str) -> None:
    from anchorecli.cli.output import write_file

    write_file(Path(path), (text,))
