"""The ``anchore`` command: runs the command line and turns whatever happens into an exit code and a clear line."""

from __future__ import annotations

import gc
import os
import signal
import sys
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from anchorecli.errors import EXIT_USAGE, AnchoreError

if TYPE_CHECKING:
    from click import ClickException

INTERRUPTED = 130
"""128 and the number of SIGINT."""
CLOSED = 141
"""128 and the number of SIGPIPE: whoever read the output closed it. Never 0: the verdict may not have been reached."""


def main() -> NoReturn:
    """Run, and exit with the code of design §6 (0, 1, 2, 3, 4, 5, or 128 + the signal's number)."""
    _open_streams()
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        # What nohup has set to be ignored stays so.
        if number is not None and signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, _terminate)
    code, out = CLOSED, sys.stdout
    # Until a command has more to do than to look things up: modules and values are no garbage.
    gc.disable()
    try:
        code = run(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:  # the reader (head, less) has seen enough
        _abandon_streams()
    except SystemExit:
        # click ends with 1, here a policy's word, for a closed pipe and leaves a stream that swallows the rest.
        if sys.stdout is out:
            raise
    except KeyboardInterrupt:  # between the end of the command and that of the program
        code = _fail("interrupted", "", INTERRUPTED)
    # What is left to do is the interpreter's own, and a code that says what happened is worth more than a moment.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.stderr.flush()
    # Not sys.exit: the interpreter would take every module and value apart, a tenth of a scan's time; wait for threads
    # that wait on a subprocess or a queue; and end by the signal, in place of the code, where an interrupt was caught
    # while it ran exec() of a text, as making a class does.
    import atexit

    atexit._run_exitfuncs()  # temporary directories are removed there
    os._exit(code)


def run(args: list[str]) -> int:
    """Run one command line; everything a user can cause ends as a message on stderr and a code."""
    from click.exceptions import Abort, ClickException, Exit

    from anchorecli.cli import anchore

    try:
        code = anchore.main(args, prog_name="anchore", standalone_mode=False)
    except Exit as exc:
        return exc.exit_code
    except ClickException as exc:
        # Nothing has run: the arguments are read whole first.
        if moved := _moved(args, exc):
            return run(moved)
        exc.show(sys.stderr)
        return EXIT_USAGE
    except AnchoreError as exc:
        return _fail(exc.message, exc.hint, exc.exit_code)
    except (KeyboardInterrupt, Abort):
        return _fail("interrupted", "", INTERRUPTED)
    except BrokenPipeError:
        raise
    except OSError as exc:
        where = f"{exc.filename}: " if exc.filename else ""
        return _fail(f"{where}{exc.strerror or exc}", "check the path, its permissions and the free space", EXIT_USAGE)
    except Exception as exc:  # the last line of defence: a bug must not look like a verdict
        if os.environ.get("ANCHORE_TRACEBACK"):
            raise
        hint = "this is a fault of anchore; run again with ANCHORE_TRACEBACK=1 and report what it prints"
        return _fail(f"internal error: {type(exc).__name__}: {exc}", hint, EXIT_USAGE)
    return code if isinstance(code, int) else 0


def _moved(args: list[str], exc: ClickException) -> list[str]:
    """The arguments with an option in front that is everybody's and stood behind the command (``anchore scan -q``).

    Empty where the error is another one.
    """
    from click import Option
    from click.exceptions import NoSuchOption

    from anchorecli.cli import anchore

    if not isinstance(exc, NoSuchOption) or exc.ctx is None or exc.ctx.parent is None:
        return []
    options = [each for each in anchore.params if isinstance(each, Option)]
    ours = next((each for each in options if exc.option_name in each.opts), None)
    switches = {opt[1] for each in options if each.is_flag or each.count for opt in each.opts if len(opt) == 2}

    def names_it(word: str) -> bool:
        together = len(exc.option_name) == 2 and word[:2] == exc.option_name and switches.issuperset(word[1:])
        return together or word.partition("=")[0] == exc.option_name

    at = max((n for n, word in enumerate(args) if names_it(word)), default=0)
    if ours is None or not at or "--" in args[:at]:
        return []
    end = at + 1 if ours.is_flag or ours.count or "=" in args[at] else at + 2
    return args[at:end] + args[:at] + args[end:] if end <= len(args) else []


def _open_streams() -> None:
    """What was closed before the start (``>&-``) becomes the null device: a file that is opened later would take its
    number, and messages would be written into it."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # The lowest free number, which is the one that was closed.
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode, encoding="utf-8"))


def _abandon_streams() -> None:
    """Keep the interpreter from flushing into a closed pipe when it ends."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _fail(message: str, hint: str, code: int) -> int:
    from anchorecli.report.text import clean

    lines = [clean(line) for line in message.splitlines()] or [""]
    sys.stderr.write("\n  ".join([f"anchore: {lines[0]}", *lines[1:]]) + "\n")
    if hint:
        sys.stderr.write(f"  next: {clean(hint)}\n")
    return code


def _terminate(number: int, _frame: FrameType | None) -> None:
    """End as an exception does: temporary directories are removed, what was started is stopped."""
    raise SystemExit(128 + number)


if __name__ == "__main__":
    main()
