"""The errors a user can meet, each with its exit code.

::

    AnchoreError              what went wrong, with which subject, and what to do next
    ├── UsageError            2  wrong flags, configuration or bundle
    │   └── BundleError       2  a policy bundle, with file and line
    ├── StoreError            2  the store cannot be opened, written or understood
    │   └── SpaceError        2  there is no room left for it
    ├── SourceError           3  the image could not be obtained
    │   ├── NotFoundError     3  no such image, tag, platform or file
    │   ├── AccessError       3  the registry refused the credentials, or wants some
    │   └── IntegrityError    3  bytes are not what their digest says, or an archive is damaged
    └── FeedError             5  a feed could not be obtained or read
    VersionError              a version string its scheme cannot read (a ValueError: never reaches the user)
    LimitError                a bound on hostile input was hit (a ValueError: becomes a Problem)

Exit codes (design §6): 0 pass, 1 the policy says stop, 2 wrong use, 3 no image, 4 indeterminate, 5 no feed.
"""

from __future__ import annotations

EXIT_PASS = 0
EXIT_STOP = 1
EXIT_USAGE = 2
EXIT_SOURCE = 3
EXIT_INDETERMINATE = 4
EXIT_FEED = 5


class AnchoreError(Exception):
    """An error that ends the command: one line for the subject and cause, one hint for the next step."""

    exit_code = EXIT_USAGE

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(AnchoreError):
    """Wrong flags or configuration."""


class BundleError(UsageError):
    """A policy bundle that cannot be used; ``path`` and ``line`` (1-based, 0 if unknown) say where."""

    def __init__(self, message: str, *, path: str = "", line: int = 0, hint: str = "") -> None:
        where = f"{path}:{line}: " if path and line else f"{path}: " if path else ""
        super().__init__(where + message, hint=hint)
        self.path = path
        self.line = line


class StoreError(AnchoreError):
    """The store cannot be opened, written, or is of a version this program does not know."""


class SpaceError(StoreError):
    """The file system that holds the store is full; what was committed before is there, the rest was undone."""


class SourceError(AnchoreError):
    """The image could not be obtained."""

    exit_code = EXIT_SOURCE


class NotFoundError(SourceError):
    """No such image, tag, platform or file."""


class AccessError(SourceError):
    """The registry refused the credentials, or wants some."""


class IntegrityError(SourceError):
    """Bytes are not what their digest says, or an archive is truncated or damaged."""


class FeedError(AnchoreError):
    """A feed could not be obtained, or its file is damaged."""

    exit_code = EXIT_FEED


class VersionError(ValueError):
    """A version string that its scheme cannot read."""


class LimitError(ValueError):
    """A bound on untrusted input was hit; the caller records a Problem that names the limit."""
