"""SBOMs as input: what a document says of an image, in the form that scanning the image gives.

``read_sbom(ref)`` gives an ``Analysis`` of packages and distribution. What no SBOM tells (files, secrets, settings)
is not there and is not claimed: the image's reference has the transport ``sbom``, by which policy knows what it cannot
decide. The document is evidence at second hand, so the image has neither manifest digest nor configuration; what the
document claims of them are annotations (``anchore.sbom.…``). The image id is the digest of the document.

Nothing is silently dropped: components without version, name or kind are Problems, and so is what this program wrote
into the document because it could not look at something.
"""

from __future__ import annotations

import hashlib

from anchorecli.legible import MAX_TEXT, cleaned_distro
from anchorecli.model import Analysis, DiffId, Digest, Image, ImageConfig, ImageRef, Layer, Package, Platform, Problem
from anchorecli.sbom import distros
from anchorecli.sbom.contents import Contents
from anchorecli.sbom.document import contents_of, data_of
from anchorecli.sbom.packages import assembled, digest_in

VERSION = 1
"""Raise it when other packages are made of the same document."""

ANNOTATION = "anchore.sbom."
_OS_TYPES = frozenset({"deb", "rpm", "apk", "alpm"})
_MAX_LAYERS = 1000


def read_sbom(ref: ImageRef) -> Analysis:
    """The packages of the document at ``ref.path`` (``-``: standard input).

    Raises: SourceError and its kinds: not found, too large, damaged, no SBOM.
    """
    data = data_of(ref.path)
    contents = contents_of(ref.path, data)
    made = assembled(contents)
    # The purls of this program's own documents are made of the distribution they name.
    own = any(each.own for each in contents.components)
    distro, mixed = distros.chosen(contents.distros, () if own and contents.distros else made.purls)
    problems = [*contents.problems, *made.problems, *mixed, *_remarks(contents, made.packages)]
    return Analysis(
        image=_image(ref, contents, Digest(f"sha256:{hashlib.sha256(data).hexdigest()}")),
        distro=distro and cleaned_distro(distro),
        packages=made.packages,
        problems=tuple(sorted(set(problems))),
        analyzers={"sbom": VERSION},
    )


def _remarks(contents: Contents, packages: tuple[Package, ...]) -> list[Problem]:
    """What the reader of a report has to know of where its facts come from."""
    by = f" by {contents.tool}" if contents.tool else ""
    about = f" of {contents.subject}" if contents.subject else ""
    message = f"packages are as {contents.form}{by}{about} lists them; the image itself was not looked at"
    hint = "scan the image for its files, configuration and secrets"
    found = [Problem("source", "SBOM", message, hint, incomplete=False)]
    kinds = {package.type for package in packages}
    if not contents.tells_owners and kinds & _OS_TYPES and kinds - _OS_TYPES:
        message = "it does not say which packages the distribution's own brought: these may be judged twice"
        found.append(Problem("source", "SBOM", message, "Syft JSON and this program's SBOMs do", incomplete=False))
    if not packages:
        message = "the document lists no packages"
        found.append(Problem("analyze", "SBOM", message, "was it made with packages?", cause="no_packages"))
    return found


def _image(ref: ImageRef, contents: Contents, digest: Digest) -> Image:
    facts = contents.facts
    platform = facts.get("image:platform", "").split("/")
    claims = {
        "format": contents.form,
        "tool": contents.tool,
        "subject": contents.subject,
        "subject.id": facts.get("image:id", "")[:MAX_TEXT],
        "subject.transport": _transport(facts),
        "subject.digest": facts.get("image:digest", "")[:MAX_TEXT],
    }
    return Image(
        ref=ref,
        image_id=digest,
        digest=Digest(""),
        config=ImageConfig(Platform(*platform) if 2 <= len(platform) <= 3 else Platform("", "")),
        layers=tuple(_layers(facts)),
        annotations={ANNOTATION + name: value for name, value in claims.items() if value},
    )


def _transport(facts: dict[str, str]) -> str:
    """What is known to have no configuration; of images it does not matter where they came from."""
    found = facts.get("image:transport", "")
    return found if found in ("dir", "rootfs") else ""


def _layers(facts: dict[str, str]) -> list[Layer]:
    layers = []
    for index in range(_MAX_LAYERS):
        diff_id = DiffId(digest_in(facts.get(f"layer:{index}:diff_id", "")))
        if not diff_id:
            break
        blob = Digest(digest_in(facts.get(f"layer:{index}:digest", "")))
        layers.append(Layer(diff_id, blob, instruction=facts.get(f"layer:{index}:instruction", "")))
    return layers


__all__ = ["ANNOTATION", "VERSION", "read_sbom"]
