"""Options that several commands share. Every long option is also an environment variable: ``--fail-on`` is
``ANCHORE_FAIL_ON``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeVar

import click

from anchorecli.cli import completion
from anchorecli.config import OPTIONS

F = TypeVar("F", bound=Callable[..., Any])

SETTINGS = {setting.flag for setting in OPTIONS}
"""Their environment variables are read with the configuration, which then knows where a value comes from."""


_FILES = ("FILE", "PATH", "DIR", "KEY", "PUBKEY")


def option(*names: str, **attributes: Any) -> Callable[[F], F]:
    """``click.option`` with the environment variable that belongs to its long name."""
    long = next(name for name in names if name.startswith("--"))
    name = long.split("/")[0].lstrip("-").replace("-", "_")
    if name not in SETTINGS:
        attributes.setdefault("envvar", f"ANCHORE_{name.upper()}")
    if attributes.get("metavar") in _FILES:
        attributes.setdefault("shell_complete", completion.files)
    return click.option(*names, **attributes)


def image_options(function: F) -> F:
    """How to get at an image."""
    for decorate in reversed((
        option("--platform", metavar="OS/ARCH[/VARIANT]", help="Which of several platforms [default: this host's]."),
        option("--tls-verify/--no-tls-verify", "tls_verify", default=None, help="Verify the registry's certificate."),
        option("--authfile", metavar="FILE", help="Credentials [default: REGISTRY_AUTH_FILE, DOCKER_CONFIG]."),
        option("--timeout", type=float, metavar="SECONDS", help="Give up on a registry that is silent this long."),
        option("--file-digests", is_flag=True, help="Take the sha256 of every file (see: images contents --files)."),
        option("--force", is_flag=True, help="Read every layer again, whatever the store holds."),
    )):  # fmt: skip
        function = decorate(function)
    return function


def trust_options(function: F) -> F:
    """Whose feed files are taken."""
    for decorate in reversed((
        option("--trust", multiple=True, metavar="PUBKEY", help="A public key whose signatures count; repeatable."),
        option("--require-signed-feed", is_flag=True, default=None, help="Take no feed without such a signature."),
    )):  # fmt: skip
        function = decorate(function)
    return function


_ALL = "The table shows everything, low severities too."


def output_options(subject: Literal["report", "sbom"]) -> Callable[[F], F]:
    """``-o FORMAT[=FILE]``, repeatable, and how the table looks."""

    def decorate(function: F) -> F:
        kind = "An SBOM" if subject == "sbom" else "A report"
        help_text = f"{kind} format, to a file or standard output; repeatable. Formats: {_names(subject)}."
        for each in reversed((
            option(
                "-o",
                "--output",
                "outputs",
                multiple=True,
                metavar="FORMAT[=FILE]",
                help=help_text,
                shell_complete=completion.output(subject),
            ),
            option("--all", "show_all", is_flag=True, hidden=subject == "sbom", help=_ALL),
            option("--color/--no-color", "color", default=None, help="Colour [default: on a terminal; see NO_COLOR]."),
        )):  # fmt: skip
            function = each(function)
        return function

    return decorate


def policy_options(function: F) -> F:
    """Which bundle judges."""
    for decorate in reversed((
        option("-p", "--policy", metavar="FILE", help="The policy bundle [default: the built-in one]."),
        option("--fail-on", metavar="SEVERITY", help="Instead of a bundle: stop at this severity or worse."),
    )):  # fmt: skip
        function = decorate(function)
    return function


def catalog_options(function: F) -> F:
    """Which packages count beside those installed."""
    for decorate in reversed((
        option("--declared", is_flag=True, default=None, help="Also what lock files name [default: in directories]."),
        option("--hints", is_flag=True, default=None, help="Also what the image's anchore_hints.json names."),
        option("--all-layers", is_flag=True, default=None, help="Also what later layers removed or replaced."),
    )):  # fmt: skip
        function = decorate(function)
    return function


def vex_option(function: F) -> F:
    """Which VEX documents are believed."""
    text = "A VEX document to believe: OpenVEX, CSAF or CycloneDX, JSON; repeatable."
    return option("--vex", multiple=True, metavar="FILE", help=text)(function)


def search_options(function: F) -> F:
    """What to look for beside packages, whether or not a rule asks for it."""
    for decorate in reversed((
        option("--secrets", is_flag=True, default=None, help="Look for credentials in files and configuration."),
        option("--verify-packages", is_flag=True, default=None, help="Compare files with what their OS package says."),
        option("--certificates", is_flag=True, default=None, help="Look for certificates and private keys."),
        option("--malware", is_flag=True, default=None, help="Have ClamAV look at every file."),
    )):  # fmt: skip
        function = decorate(function)
    return function


def _names(subject: str) -> str:
    from anchorecli.report import formats

    return ", ".join(formats(subject))  # type: ignore[arg-type]
