"""Image names: what the user typed, taken apart, recognised and given its canonical form.

The canonical form is Anchore's: a registry is always named, Docker Hub is ``docker.io`` and its official images
stand there without ``library/`` (``docker.io/debian:12``), because policies are written against such names. Only
``pull_string`` puts ``library/`` back, for the registry's own ears.

Format: the OCI distribution specification, "Pulling manifests" (names, tags), and the image specification,
descriptor.md (digests), for example ``registry.example:5000/team/app:1.2@sha256:…``.
"""

from __future__ import annotations

import re
from pathlib import Path

from anchorecli.errors import NotFoundError, SourceError, UsageError
from anchorecli.model import ImageRef

ENGINES = ("docker", "podman")
ARCHIVES = ("docker-archive", "oci-archive", "oci-dir")
TRANSPORTS = ("registry", *ENGINES, *ARCHIVES, "rootfs", "dir", "sbom")
STDIN = "-"
"""An SBOM from standard input."""

DOCKER_HUB = "docker.io"
DEFAULT_TAG = "latest"

_HUB_ALIASES = {"index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"}
_BARE_HOSTS = {"docker.io", "localhost", "localhost.localdomain", "localbuild"}

_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]{0,253}[A-Za-z0-9])?)(?::[0-9]{1,5})?")
_PATH_PART = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_HEX64 = re.compile(r"[0-9a-f]{64}")
_FOREIGN_PREFIX = re.compile(r"([a-z][a-z0-9+.-]*)(://|:(?=[/.~]))")

# What other tools call the same things; the value is our word for it, empty where there is none. No image of Docker Hub
# that stands there without an owner has one of these names.
_SYNONYMS = {
    "docker://": "registry:",
    "oci://": "registry:",
    "docker-daemon:": "docker:",
    "containers-storage:": "podman:",
    "oci:": "oci-dir:",
    "oci-layout:": "oci-dir:",
    "ocidir:": "oci-dir:",
    "oci-registry:": "registry:",
    "docker-tar:": "docker-archive:",
    "file:": "docker-archive:",
    "tar:": "docker-archive:",
    "tarball:": "docker-archive:",
    "directory:": "dir:",
    "fs:": "dir:",
    "containerd:": "",
    "ostree:": "",
    "singularity:": "",
    "sif:": "",
    "snap:": "",
}

_PATH_STARTS = ("/", "./", "../", "~/")
_ARCHIVE_ENDINGS = (".tar", ".tgz", ".tzst", ".txz", ".tar.gz", ".tar.zst", ".tar.xz", ".tar.bz2", ".tar.lz4")


def parse_reference(text: str) -> ImageRef:
    """Take an image argument apart: ``name[:tag][@digest]``, ``TRANSPORT:…``, or a path recognised by its content.

    Raises: UsageError for what cannot be a name, NotFoundError for a path that is not there, SourceError for a
    path that holds no image.
    """
    if not text or text != text.strip() or any(ord(char) < 32 or ord(char) == 127 for char in text):
        raise UsageError(
            "the image name is empty or holds blanks or control characters", hint="write name:tag or a path"
        )
    if text == STDIN:
        return ImageRef("sbom", text, path=STDIN)
    transport, colon, rest = text.partition(":")
    if rest.startswith("//"):
        _refuse_foreign(text)
    if colon and transport in TRANSPORTS:
        return _prefixed(transport, rest, text)
    path = Path(text).expanduser()
    if _exists(path):
        return _recognised(path, text)
    _refuse_foreign(text)
    if _looks_like_path(text):
        return _archive_with_choice(text)
    return _named("registry", text, text)


def split_name(text: str) -> tuple[str, str, str, str]:
    """``(registry, repository, tag, digest)`` of a name, in canonical form; the tag is ``latest`` by default.

    A name with a digest and no tag has an empty tag. Raises: UsageError naming the nearest valid form.
    """
    return _parted(text, "")


def _parted(text: str, prefix: str) -> tuple[str, str, str, str]:
    """``split_name``; the nearest form is named with ``prefix``."""
    rest, at, digest = text.partition("@")
    if at and not _DIGEST.fullmatch(digest):
        raise UsageError(
            f"{text!r}: {digest!r} is not a digest", hint="a digest is sha256: followed by 64 lower-case hex digits"
        )
    slash = rest.rfind("/")
    name, colon, tag = rest[: slash + 1], "", ""
    last, colon, tag = rest[slash + 1 :].partition(":")
    if colon and not _TAG.fullmatch(tag):
        raise UsageError(
            f"{text!r}: {tag!r} is not a tag", hint="a tag has up to 128 letters, digits, '_', '.' and '-'"
        )
    registry, repository = _split_registry(name + last, text, prefix)
    return registry, repository, tag or ("" if digest else DEFAULT_TAG), digest


def canonical(text: str) -> str:
    """The canonical name of a registry name: ``debian`` gives ``docker.io/debian:latest``."""
    return _named("registry", text, text).name


def pull_string(ref: ImageRef, digest: str = "") -> str:
    """The full name a registry client wants: ``docker.io/library/debian:12``; ``digest`` overrides the tag."""
    repository = ref.repository
    if ref.registry == DOCKER_HUB and "/" not in repository:
        repository = f"library/{repository}"
    digest = digest or ref.digest
    suffix = f"@{digest}" if digest else f":{ref.tag or DEFAULT_TAG}"
    return f"{ref.registry}/{repository}{suffix}"


def _prefixed(transport: str, rest: str, original: str) -> ImageRef:
    if not rest:
        raise UsageError(f"{original!r} names no image", hint=f"write {transport}:{_EXAMPLE[transport]}")
    if transport == "dir":
        return _directory(rest, original)
    if transport in ("rootfs", "sbom"):
        return _file(transport, rest, original)
    if transport in ARCHIVES:
        path_text, name, digest = _split_archive(rest)
        return ImageRef(transport, original, path=path_text, tag=name, digest=digest)
    if rest.startswith(_PATH_STARTS):
        hint = f"write {rest}" if _exists(Path(rest).expanduser()) else f"for a file leave {transport}: away"
        raise UsageError(f"{original!r} names a file, not an image of {_NAMERS[transport]}", hint=hint)
    if transport in ENGINES:
        image_id = rest.removeprefix("sha256:")
        if _HEX64.fullmatch(image_id):
            return ImageRef(transport, original, path=f"sha256:{image_id}", digest=f"sha256:{image_id}")
    return _named(transport, rest, original)


def _directory(rest: str, original: str) -> ImageRef:
    path = Path(rest).expanduser()
    if not _exists(path):
        raise NotFoundError(f"no such directory: {rest}", hint=_nearest_path(rest))
    if not path.is_dir():
        raise UsageError(f"{rest} is not a directory", hint=f"leave the prefix away: {rest}")
    if _is_oci_layout(path):
        raise UsageError(f"{rest} holds an image in an OCI layout, not its files", hint=f"write oci-dir:{rest}")
    _refuse_stored(path)
    return ImageRef("dir", original, path=str(path))


def _file(transport: str, rest: str, original: str) -> ImageRef:
    path = Path(rest).expanduser()
    if not _exists(path) and (transport, rest) != ("sbom", STDIN):
        raise NotFoundError(f"no such file: {rest}", hint=_nearest_path(rest))
    if path.is_dir():
        raise UsageError(f"{rest} is a directory", hint=f"write dir:{rest}")
    return ImageRef(transport, original, path=str(path))


_NAMERS = {"registry": "a registry", "docker": "the Docker daemon", "podman": "Podman"}
_EXAMPLE = {
    "registry": "debian:12",
    "docker": "debian:12",
    "podman": "debian:12",
    "docker-archive": "image.tar",
    "oci-archive": "image.tar",
    "oci-dir": "DIRECTORY",
    "rootfs": "rootfs.tar",
    "dir": "DIRECTORY",
    "sbom": "bom.json",
}


def _named(transport: str, name: str, original: str) -> ImageRef:
    if _HEX64.fullmatch(name.removeprefix("sha256:")):
        raise UsageError(
            f"{original!r} is a digest without a name",
            hint=f"write name@sha256:… for a registry, or docker:{name} for an image id of the local engine",
        )
    registry, repository, tag, digest = _parted(name, original.removesuffix(name))
    return ImageRef(transport, original, registry=registry, repository=repository, tag=tag, digest=digest)


def _split_registry(name: str, text: str, prefix: str) -> tuple[str, str]:
    first, slash, rest = name.partition("/")
    host = slash and (first in _BARE_HOSTS or "." in first or ":" in first)
    if host and not _HOST.fullmatch(first):
        raise UsageError(f"{text!r}: {first!r} is not a registry host", hint="write host[:port]/repository:tag")
    registry, repository = (first.lower(), rest) if host else (DOCKER_HUB, name)
    if registry in _HUB_ALIASES:
        registry = DOCKER_HUB
    if registry == DOCKER_HUB and repository.count("/") == 1:
        repository = repository.removeprefix("library/")
    if len(repository) > 255 or not all(_PATH_PART.fullmatch(part) for part in repository.split("/")):
        near = _nearest_name(rest if host else name)
        whole = f"{prefix}{f'{first}/' if host else ''}{near}{text[len(name) :]}"
        hint = f"did you mean {whole!r}?" if near else "write [host/]repository[:tag][@sha256:…]"
        raise UsageError(f"{text!r} is not an image name", hint=hint)
    return registry, repository


def _nearest_name(name: str) -> str:
    """The closest valid repository name, so that an upper-case letter or a blank is soon found; empty for none."""
    nearest = re.sub(r"[^a-z0-9._/-]+", "-", name.lower())
    nearest = re.sub(r"/{2,}", "/", re.sub(r"[._]{3,}", "-", nearest))
    nearest = "/".join(part.strip("._-") for part in nearest.strip("/").split("/"))
    valid = nearest and all(_PATH_PART.fullmatch(part) for part in nearest.split("/"))
    return nearest if valid and nearest != name else ""


def _refuse_foreign(text: str) -> None:
    """Refuse prefixes of other tools and URLs by naming our form of them."""
    word = f"{text.partition(':')[0]}:"
    match = _FOREIGN_PREFIX.match(text)
    prefix = match[0] if match else word
    if match is None and word not in _SYNONYMS:
        return
    rest = text[len(prefix) :]
    if prefix in ("http://", "https://"):
        page = _HUB_PAGE.fullmatch(rest)
        raise UsageError(f"{text!r} is a URL", hint=f"leave {prefix} away: {page[1] or page[2] if page else rest}")
    ours = _ours(prefix, word)
    known = ", ".join(f"{name}:" for name in TRANSPORTS)
    other = f"; for the image of that name {_REGISTRY}{text}" if not match and _is_name(text) else ""
    raise UsageError(
        f"{text!r} has an unknown prefix {prefix!r}",
        hint=f"write {_in_our_words(ours, rest)}{other}" if ours else f"the prefixes are {known}{other}",
    )


_REGISTRY = "registry:"
_HUB_PAGE = re.compile(r"hub\.docker\.com/(?:_/([\w.-]+)|r/([\w.-]+/[\w.-]+))(?:/.*)?")
_STORAGE = re.compile(r"\[[^]]*\]")
"""``containers-storage:[overlay@/var/lib/containers/storage]NAME``: where the engine keeps it is not ours to say."""


def _ours(prefix: str, word: str) -> str:
    """Our prefix for another tool's, or for ours with slashes; empty where there is none."""
    if prefix not in _SYNONYMS and word.removesuffix(":") in TRANSPORTS:
        return word
    return _SYNONYMS.get(prefix, _SYNONYMS.get(word, _REGISTRY if prefix.endswith("://") else ""))


def _in_our_words(ours: str, rest: str) -> str:
    """The argument to write instead; where a file is there, with the prefix for what it is."""
    if ours == _REGISTRY:
        return ours + rest.lstrip("/")
    if ours == "podman:":
        return ours + _STORAGE.sub("", rest, count=1)
    path = Path(rest).expanduser()
    if ours == "oci-dir:" and path.is_file():
        return f"oci-archive:{rest}"
    return rest if ours == "docker-archive:" and _exists(path) else ours + rest


def _looks_like_path(text: str) -> bool:
    path = re.sub(r"(\.(?:tar(?:\.\w+)?|t[gx]z|tzst))[:@].*", r"\1", text)
    return text.startswith(_PATH_STARTS) or text in (".", "..") or path.endswith(_ARCHIVE_ENDINGS)


def _archive_with_choice(text: str) -> ImageRef:
    """A bare ``PATH:name:tag`` or ``PATH@digest``."""
    path, name, digest = _split_archive(text)
    ref = _recognised(Path(path), text)
    if ref.transport in ("dir", "rootfs"):
        what = "plain directory" if ref.transport == "dir" else "root file system"
        hint = f"write {ref.transport}:{path}"
        raise UsageError(f"{path} is a {what}: it holds no image to choose by name", hint=hint)
    return ImageRef(ref.transport, text, path=path, tag=name, digest=digest)


def _split_archive(text: str) -> tuple[str, str, str]:
    """``(path, name, digest)`` of ``PATH[:name[:tag]][@digest]``; the longest part that exists is the path."""
    for end in [len(text), *(index for index in range(len(text) - 1, 0, -1) if text[index] in ":@")]:
        path = Path(text[:end]).expanduser()
        if not _exists(path):
            continue
        choice, at, digest = text[end:].partition("@")
        if at and not _DIGEST.fullmatch(digest):
            raise UsageError(f"{text!r}: {digest!r} is not a digest", hint="write PATH@sha256:<64 hex digits>")
        return str(path), choice.removeprefix(":"), digest
    path_text = re.sub(r"(\.(?:tar(?:\.\w+)?|t[gx]z|tzst))[:@].*", r"\1", text)
    raise NotFoundError(f"no such file or directory: {path_text}", hint=_nearest_path(path_text))


def _nearest_path(text: str) -> str:
    """A hint with the name beside the missing one that is most like it; else what to look at."""
    from difflib import get_close_matches

    path = Path(text).expanduser()
    word, colon, rest = text.partition(":")
    if colon and rest and _exists(Path(rest).expanduser()):
        near = get_close_matches(word, TRANSPORTS, 1, 0.7)
        return f"did you mean {near[0]}:{rest}?" if near else f"did you mean {rest}?"
    try:
        beside = [each.name for each in path.parent.iterdir()]
    except OSError:
        return f"there is no directory {path.parent} that can be read"
    near = get_close_matches(path.name, beside, 1, 0.7)
    return f"did you mean {path.parent / near[0]}?" if near else "check the path"


def _recognised(path: Path, text: str) -> ImageRef:
    """Tell by its content what an existing path holds."""
    from anchorecli.archivekind import recognise

    if path.is_dir() and not _is_oci_layout(path) and "/" not in text and _is_name(text):
        raise UsageError(
            f"{text!r} is a directory here and could also be an image name", hint=f"write dir:{text} or registry:{text}"
        )
    try:
        transport = _of_directory(path) if path.is_dir() else "sbom" if _is_sbom(path) else recognise(path)
    except SourceError as error:
        if "/" not in text and _is_name(text):
            error.hint = f"for the image of that name write registry:{text}"
        raise
    return ImageRef(transport, text, path=str(path))


_SBOM_MARKS = (b'"bomFormat"', b'"spdxVersion"', b"SPDXVersion:", b"cyclonedx.org/schema/bom", b"spdx.org/rdf/3")
_SYFT_MARKS = (b'"artifacts"', b"/syft/")
_LOOKED_AT = 64 * 1024
"""Bytes at either end of a text."""


def _of_directory(path: Path) -> str:
    if _is_oci_layout(path):
        return "oci-dir"
    _refuse_stored(path)
    return "dir"


def _refuse_stored(path: Path) -> None:
    """Refuse the directories in which images are kept as blobs: among those files no package would be found.

    Format: containers-transports(5), ``dir:path``; and what ``docker save`` wrote before it wrote OCI layouts.
    """
    if not (path / "manifest.json").is_file():
        return
    try:
        mark = (path / "version").read_bytes()[:64] if (path / "version").is_file() else b""
        head = (path / "manifest.json").read_bytes()[:_LOOKED_AT].lstrip()
    except OSError:
        return
    if mark.startswith(b"Directory Transport Version:"):
        hint = f"skopeo copy dir:{path} oci:layout makes one that can be scanned: oci-dir:layout"
        raise SourceError(f"{path} holds an image as skopeo's dir: keeps it, not its files", hint=hint)
    if head.startswith(b"[") and b'"Layers"' in head and b'"Config"' in head:
        hint = f"pack it again: tar -cf image.tar -C {path} . ; then write docker-archive:image.tar"
        raise SourceError(f"{path} is an unpacked docker archive: the layers, not the image's files", hint=hint)


def _is_sbom(path: Path) -> bool:
    """Whether a file is a text that calls itself an SBOM, at its beginning or its end."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            head = file.read(_LOOKED_AT)
            if head[:1] not in (b"{", b"<", b"S", b"#", b" ", b"\n", b"\r", b"\t", b"\xef"):
                return False
            size = file.seek(0, 2)
            file.seek(max(len(head), size - _LOOKED_AT))
            ends = head + file.read(_LOOKED_AT)
    except OSError:
        return False
    return any(mark in ends for mark in _SBOM_MARKS) or all(mark in ends for mark in _SYFT_MARKS)


def _is_oci_layout(path: Path) -> bool:
    return (path / "oci-layout").is_file() or ((path / "index.json").is_file() and (path / "blobs").is_dir())


def _is_name(text: str) -> bool:
    try:
        split_name(text)
    except UsageError:
        return False
    return True


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name the file system cannot hold
        return False
