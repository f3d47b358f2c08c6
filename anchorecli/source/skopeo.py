"""skopeo as a subprocess: questions, copies, and its complaints turned into errors that say what to do next.

No shell is involved, and no credentials are ever put on a command line. skopeo runs in a process group of its own,
which is killed when it takes too long or when we are interrupted.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from anchorecli.errors import AccessError, IntegrityError, NotFoundError, SourceError
from anchorecli.source.base import SourceOptions
from anchorecli.values import dataclass

_FATAL = re.compile(r'level=fatal msg="((?:[^"\\]|\\.)*)"')
_NOISE = re.compile(r'^Error parsing image name "[^"]*": |^Error reading \w+ for image: ')
COMPLAINTS = "skopeo.stderr"
"""Where a copy's standard error goes, in its directory."""

_PATHS = ("REGISTRY_AUTH_FILE", "DOCKER_CONFIG", "SSL_CERT_FILE", "SSL_CERT_DIR", "DOCKER_CERT_PATH")
"""What names a file or directory to skopeo, which a copy starts elsewhere than where its user stands."""
RETRIES = 2
"""How often skopeo tries a download again where the network failed; what is complete is not fetched again."""

Process = subprocess.Popen[bytes]


@dataclass(frozen=True, slots=True)
class Skopeo:
    """How to call skopeo for one image; ``subject`` is the image's name in messages."""

    subject: str
    options: SourceOptions
    daemon_host: str = ""
    """Where the Docker daemon listens; skopeo itself does not read DOCKER_HOST."""

    def inspect_raw(self, target: str) -> bytes:
        """The manifest or index, byte for byte."""
        return self._ask(["inspect", *self._flags(""), "--raw", target])

    def inspect_config(self, target: str) -> bytes:
        """The image configuration, byte for byte."""
        return self._ask(["inspect", *self._flags(""), "--config", "--raw", target])

    def start_copy(self, source: str, target: str, directory: Path) -> Process:
        """Start copying; relative targets are below ``directory``, which is private to us.

        The copied bytes are what the source holds: nothing is compressed on the way. Signatures are not checked, as
        nothing of the image is run; its digests are checked by whoever reads it.
        """
        flags = ["copy", "--quiet", *self._flags("src-"), "--dest-oci-accept-uncompressed-layers"]
        if source.startswith("docker://"):
            flags.append(f"--retry-times={RETRIES}")
        return self.start(["--insecure-policy", *self._overrides(), *flags, source, target], directory)

    def start(self, arguments: Sequence[str], directory: Path | None = None) -> Process:
        """Start skopeo. Raises: SourceError where it is not installed."""
        program = shutil.which("skopeo")
        if program is None:
            raise SourceError(
                f"{self.subject} cannot be fetched: skopeo is not installed",
                hint="install it: apt-get install skopeo (Debian, Ubuntu), dnf install skopeo, or brew install skopeo",
            )
        if directory is None:
            return _spawn([program, *arguments], None, subprocess.PIPE, subprocess.PIPE)
        with (directory / COMPLAINTS).open("ab") as complaints:
            return _spawn([str(Path(program).absolute()), *arguments], directory, subprocess.DEVNULL, complaints)

    def explain(self, stderr: bytes) -> SourceError:
        """The error that skopeo's complaint amounts to."""
        return explain(stderr.decode("utf-8", "replace"), self.subject)

    def _ask(self, arguments: Sequence[str]) -> bytes:
        process = self.start([*self._overrides(), *arguments])
        try:
            out, complaint = process.communicate(timeout=self.options.timeout)
        except subprocess.TimeoutExpired as error:
            raise self.timed_out() from error
        finally:
            stop(process)
        if process.returncode != 0:
            raise self.explain(complaint)
        return out

    def timed_out(self) -> SourceError:
        """The error for a source that does not answer."""
        return SourceError(
            f"{self.subject}: no answer within {self.options.timeout:g} s",
            hint="check the network, or raise the timeout",
        )

    def _flags(self, side: str) -> list[str]:
        flags = [] if self.options.tls_verify else [f"--{side}tls-verify=false"]
        if self.options.authfile:
            flags.append(f"--authfile={Path(self.options.authfile).absolute()}")
        if self.daemon_host:
            flags.append(f"--{side}daemon-host={self.daemon_host}")
        return flags

    def _overrides(self) -> list[str]:
        wanted = self.options.platform
        if wanted is None:
            return []
        flags = [f"--override-os={wanted.os}", f"--override-arch={wanted.architecture}"]
        return [*flags, f"--override-variant={wanted.variant}"] if wanted.variant else flags


def _environment() -> dict[str, str]:
    """Our own, where paths mean the same from any directory."""
    named = {name: value for name in _PATHS if (value := os.environ.get(name))}
    return {**os.environ, **{name: str(Path(value).absolute()) for name, value in named.items()}}


def _spawn(command: Sequence[str], directory: Path | None, out: int, complaints: int | IO[bytes]) -> Process:
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=complaints,
        cwd=directory,
        env=_environment(),
        start_new_session=True,  # a group of its own, so that helpers it starts are killed with it
    )


def stop(process: Process) -> None:
    """End a process and everything it started, if it still runs, and collect it."""
    if process.poll() is None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


def explain(stderr: str, subject: str) -> SourceError:
    """Turn skopeo's standard error into one of our errors: one line, and what to do."""
    message = _last_complaint(stderr)
    folded = message.casefold()
    for kind, marks, text, hint in _COMPLAINTS:
        if any(mark in folded for mark in marks):
            return kind(f"{subject}: {text}" + (f" ({message})" if kind is SourceError else ""), hint=hint)
    return SourceError(f"{subject} cannot be fetched: {message or 'skopeo failed without a word'}")


_LOGIN = "log in with: skopeo login HOST (or docker login), or set REGISTRY_AUTH_FILE"
_DAEMON = "is it running, and may you use it? DOCKER_HOST names another one"

# (error, marks in the folded message, what we say, what to do); the first that fits is taken.
_COMPLAINTS: tuple[tuple[type[SourceError], tuple[str, ...], str, str], ...] = (
    (SourceError, ("cannot connect to the docker daemon", "docker.sock"), "the Docker daemon does not answer", _DAEMON),
    (
        SourceError,
        ("unable to parse docker host", "no valid host"),
        "DOCKER_HOST is not usable",
        "use unix:// or tcp://",
    ),
    (
        SourceError,
        ("server gave http response to https client",),
        "the registry speaks plain HTTP",
        "if you trust it: --no-tls-verify",
    ),
    (
        SourceError,
        ("x509:", "certificate", "tls: "),
        "the registry's certificate is not trusted",
        "set SSL_CERT_FILE to its CA, or, if you trust the network: --no-tls-verify",
    ),
    (
        SourceError,
        ("toomanyrequests", "too many requests", "rate limit"),
        "the registry limits requests",
        f"wait; or {_LOGIN}",
    ),
    (
        IntegrityError,
        ("digest did not match", "digest mismatch"),
        "the registry's bytes are not what their digest says",
        "the image is damaged or was tampered with: push it again",
    ),
    (
        IntegrityError,
        ("fetching blob: invalid status code from registry 404", "blob unknown"),
        "the registry has lost a layer of it",
        "push the image again",
    ),
    (
        SourceError,
        ("media type",),
        "it holds something that the installed skopeo cannot read",
        "update skopeo, or push the image again with OCI media types",
    ),
    (SourceError, ("no space left on device",), "the disk is full", "set TMPDIR to a larger disk"),
    (SourceError, ("proxyconnect",), "the proxy cannot be used", "check HTTPS_PROXY, HTTP_PROXY and NO_PROXY"),
    (
        SourceError,
        ("no such host", "server misbehaving", "failure in name resolution"),
        "the registry's name is unknown",
        "check the name and the network; without one, scan an image that was saved to a file",
    ),
    (SourceError, ("connection refused",), "the registry refuses connections", "check the host and the port"),
    (
        SourceError,
        (
            "i/o timeout",
            "deadline exceeded",
            "unreachable",
            "connection reset",
            "handshake timeout",
            "unexpected eof",
            ": eof",
        ),
        "the registry cannot be reached",
        "check the network and the proxy settings",
    ),
    (
        SourceError,
        ("malformed http", "transport connection broken", "stopped after 10 redirects"),
        "what answers there is no registry",
        "check the host and the port",
    ),
    (
        SourceError,
        ("auth.json: permission denied", "config.json: permission denied"),
        "the file of credentials may not be read",
        "correct its permissions, or name another: --authfile FILE",
    ),
    (SourceError, (": permission denied",), "it may not be read", "run as the user who owns the image storage"),
    (
        SourceError,
        ("unexpected http status: 5", "status code from registry 5", "statuscode: 5"),
        "the registry has a fault",
        "try again later",
    ),
    (
        NotFoundError,
        (
            "manifest unknown",
            "name unknown",
            "repository name not known",
            "statuscode: 404",
            "404 (not found)",
            "no such image",
            "reference does not exist",
            "does not resolve to an image",
            "identifier is not an image",
        ),
        "no such image or tag",
        "check the name and the tag",
    ),
    (
        AccessError,
        ("unauthorized", "authentication required", "invalid username/password", "statuscode: 401", "status code 401"),
        "the registry wants other credentials",
        f"check the name, or {_LOGIN}",
    ),
    (
        AccessError,
        ("denied", "forbidden", "statuscode: 403", "status code 403"),
        "the registry denies access: the image is private, or it does not exist",
        f"check the name, or {_LOGIN}",
    ),
    (
        SourceError,
        ("getting username and password", "auth.json"),
        "the credentials cannot be read",
        "repair the auth file",
    ),
)


def _last_complaint(stderr: str) -> str:
    """skopeo's last word, on one line and without control characters: part of it is the server's text."""
    fatal = _FATAL.findall(stderr)
    lines = [line for line in stderr.splitlines() if line.strip()]
    text = fatal[-1] if fatal else lines[-1] if lines else ""
    text = text.replace(r"\"", '"').replace(r"\n", " ").replace(r"\t", " ").replace(r"\\", "\\")
    text = _NOISE.sub("", text)
    text = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(text.split())[:400]
