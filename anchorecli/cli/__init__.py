"""The command line: one module per command group, imported when its command is asked for.

``anchore --version`` and ``--help`` import click and nothing else.
"""

from __future__ import annotations

from importlib import import_module

import click

from anchorecli import __version__

COMMANDS = {
    "scan": ("scan", "Find packages and vulnerabilities in an image and judge it by a policy."),
    "sbom": ("sbom", "List what is in an image, as an SBOM; needs no feed."),
    "images": ("images", "List, show and remove the images the store holds."),
    "feeds": ("feeds", "Sync, inspect, export and import vulnerability feeds."),
    "policy": ("policy", "Create, check and explain policy bundles."),
    "watch": ("watch", "Follow tags: rescan on change, tell about it."),
    "update": ("update", "Bring past results up to date after a sync."),
    "history": ("history", "Past evaluations, and their reports as they were."),
    "explain": ("explain", "Why a vulnerability is, or is not, reported for an image."),
    "diff": ("diff", "What changed between two images or evaluations, and what caused it."),
    "replay": ("replay", "Judge an image as of any past moment, from the store alone."),
    "verify": ("verify", "Whether a JSON report holds: made again from its tuple."),
    "vex": ("vex", "Write what is settled or accepted in an image as a VEX document."),
    "store": ("store", "The store's place, size and retention."),
    "analyzers": ("analyzers", "What is looked for in an image, what each analyzer reads, and its limits."),
    "config": ("config", "The settings in force and where they come from."),
}

EPILOG = """\b
Exit codes: 0 pass, 1 the policy says stop, 2 wrong use or configuration,
3 no image, 4 indeterminate (evidence incomplete or stale), 5 no feed,
130/141/143 on signals.
"""


class LazyGroup(click.Group):
    """A group that knows its commands' names and one-line helps without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"anchorecli.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Like click's, with the nearest name for an unknown command."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, 1)
            hint = f" Did you mean {near[0]!r}?" if near else f" To scan an image: anchore scan {args[0]}"
            raise click.UsageError(f"No such command {args[0]!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands with their one-line helps."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EPILOG,
)
@click.version_option(__version__, prog_name="anchore", message="%(prog)s %(version)s")
@click.option("--store", type=click.Path(), metavar="PATH", help="The store's file [default: XDG data directory].")
@click.option("--config", "config_file", type=click.Path(), metavar="FILE", help="A configuration file to use instead.")
@click.option("-q", "--quiet", is_flag=True, help="Print results and errors only.")
@click.option("-v", "--verbose", count=True, help="Say more (-vv: even more).")
@click.pass_context
def anchore(ctx: click.Context, store: str | None, config_file: str | None, quiet: bool, verbose: int) -> None:
    """Static analysis, vulnerability matching and policy for container images.

    Nothing in an image is ever executed. Results go to standard output, everything else to standard error.
    """
    from anchorecli.cli.app import Start

    ctx.obj = Start(store=store, config_file=config_file, quiet=quiet, verbose=verbose)
