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
        _placed(exc).show(sys.stderr)
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


def _placed(exc: ClickException) -> ClickException:
    """The error, or one that says where an option belongs that is everybody's (``anchore scan -q``)."""
    from click.exceptions import NoSuchOption, UsageError

    from anchorecli.cli import anchore

    if not isinstance(exc, NoSuchOption) or exc.ctx is None or exc.ctx.parent is None:
        return exc
    if not any(exc.option_name in parameter.opts for parameter in anchore.params):
        return exc
    command = exc.ctx.command_path.partition(" ")[2]
    return UsageError(f"{exc.option_name} stands before the command: anchore {exc.option_name} {command} …", exc.ctx)


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
