"""Where reports go (``-o FORMAT[=FILE]``, several at once, each file whole or not at all), and the code that ends."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from shlex import quote

from anchorecli.errors import EXIT_INDETERMINATE, EXIT_PASS, EXIT_STOP, UsageError
from anchorecli.model import Report, Status
from anchorecli.report import Format, Piecemeal, RenderOptions, formats
from anchorecli.values import dataclass


@dataclass(frozen=True, slots=True)
class Output:
    """A format and the file it goes to (empty: standard output)."""

    format: Format
    path: str


def parse_outputs(texts: Sequence[str], subject: str, default: str) -> tuple[Output, ...]:
    """The outputs asked for. Raises: UsageError for an unknown format or two that go to one place."""
    known = formats(subject)  # type: ignore[arg-type]
    outputs = []
    for text in texts or (default,):
        name, _, path = text.partition("=")
        if name not in known:
            from difflib import get_close_matches

            near = get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"formats: {', '.join(known)}"
            raise UsageError(f"unknown output format {name!r}", hint=hint)
        outputs.append(Output(known[name], "" if path == "-" else path))
    places = [output.path for output in outputs]
    if double := next((place for place in places if places.count(place) > 1), None):
        raise UsageError(f"two outputs go to {double}", hint="give each format its own file: -o json=report.json")
    if places.count("") > 1:
        raise UsageError("two outputs go to standard output", hint="give one a file: -o json=report.json -o table")
    return tuple(outputs)


def prepare(outputs: Sequence[Output]) -> None:
    """Load what the outputs will need."""
    for output in outputs:
        output.format.prepare()


def write_outputs(outputs: Sequence[Output], report: Report, options: RenderOptions) -> None:
    """Render and write each."""
    for output in outputs:
        form = output.format
        pieces = form.pieces(report, options) if isinstance(form, Piecemeal) else (form.render(report, options),)
        if output.path:
            write_file(Path(output.path), pieces)
            continue
        for text in pieces:
            sys.stdout.write(text if _utf8() else text.encode("ascii", "backslashreplace").decode("ascii"))


def write_file(path: Path, pieces: Iterable[str]) -> None:
    """Write a file whole: beside its place first, then renamed. A device or pipe is written to as it is."""
    written = (piece.encode("utf-8", "backslashreplace") for piece in pieces)
    try:
        if path.exists() and not path.is_file():
            with path.open("wb") as file:
                file.writelines(written)
            return
        # As tempfile would, which takes as long to load as a report to write.
        part = path.parent / f".{path.name[:100]}.{os.getpid()}-{time.monotonic_ns():x}"
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as exc:
        there = path.parent.is_dir()
        hint = "choose another file" if there else f"make its directory first: mkdir -p {quote(str(path.parent))}"
        raise UsageError(f"{path} cannot be written: {exc.strerror}", hint=hint) from exc
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(written)
        umask = os.umask(0)
        os.umask(umask)
        part.chmod(0o666 & ~umask)
        part.replace(path)
    except OSError as exc:
        raise UsageError(f"{path} cannot be written: {exc.strerror}", hint="is the disk full?") from exc
    finally:
        part.unlink(missing_ok=True)


def render_options(
    env: Mapping[str, str], *, show_all: bool, color: bool | None, verbose: int, timestamp: str = ""
) -> RenderOptions:
    """How to render for this terminal."""
    if color is None:
        color = sys.stdout.isatty() and not env.get("NO_COLOR") and env.get("TERM") != "dumb"
    width = 80
    if sys.stdout.isatty() or "COLUMNS" in env:
        from shutil import get_terminal_size

        width = get_terminal_size((80, 24)).columns
    return RenderOptions(all=show_all, width=max(40, width), color=color, verbose=verbose, timestamp=timestamp)


def _utf8() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") in ("utf8", "utf8mb4")


def exit_code(report: Report) -> int:
    """Design §6: 0 pass, 1 stop, 4 indeterminate."""
    codes = {Status.PASS: EXIT_PASS, Status.FAIL: EXIT_STOP, Status.INDETERMINATE: EXIT_INDETERMINATE}
    return codes[report.verdict.status] if report.verdict else EXIT_PASS
