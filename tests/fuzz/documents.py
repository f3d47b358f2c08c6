"""Documents that are not in an image but speak of one or decide about it, as parsers.

What registries answer, what hangs on an image, bundles, settings, files that carry feeds, and texts of a line:
versions, licences, scores.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from anchorecli.errors import AnchoreError, FeedError, VersionError
from anchorecli.feeds.offline.manifest import Base
from anchorecli.feeds.offline.write import Change, FeedPart, Head, export
from anchorecli.feeds.record import to_json
from anchorecli.feeds.shelf import write_index
from anchorecli.model import Advisory, Attached, Check
from anchorecli.policy.bundle import parse_bundle
from anchorecli.signatures import Trust
from anchorecli.signatures.check import check
from anchorecli.versions import SCHEMES, key
from tests import builders
from tests.feeds.test_offline import DEBIAN, NOW, PLAIN, WHOLE
from tests.feeds.test_offline import feeds as feeds_to_export
from tests.feeds.test_shelf import SHELF
from tests.fuzz.containers import Sample
from tests.fuzz.seen import NOTHING, Seen
from tests.policy.test_bundle import ENTERPRISE, GOOD
from tests.policy.test_canonical import FULL
from tests.signatures import test_check as signing
from tests.signatures.making import P256, Blob, attestation, bundle, simple

VERSIONS = (
    "1:2.30.2-1+deb11u2~bpo10+1", "5.1.8-6.el9_1^git1", "1.2.3_alpha1_p4-r5", "2!1.0.post3.dev4+cu118",
    "1.2.3-rc.1+b.2", "v1.2.4-0.20210101120000-0123456789ab+incompatible", "1.0-SNAPSHOT", "1.0.a.10", "dev-main",
    "^1.2", "$Revision: 1$",
)  # fmt: skip


def _answered(look: Callable[[], object]) -> Seen:
    """What a reader gives, or the error of ours that says why not."""
    try:
        return Seen(frozenset({repr(look())}), False)
    except AnchoreError as error:
        assert error.message
        assert len(error.message) < 20_000
        return NOTHING


def policy(path: str, data: bytes) -> Seen:
    """A bundle: policies, allowlists, mappings."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return NOTHING  # as ``load_bundle`` has it
    return _answered(lambda: parse_bundle(text, path))


def settings(path: str, data: bytes) -> Seen:
    """A configuration file."""
    from anchorecli.config.document import read

    with TemporaryDirectory() as folder:
        file = Path(folder) / path
        file.write_bytes(data)
        return _answered(lambda: list(read(file, folder, local=False)))


def manifests(path: str, data: bytes) -> Seen:
    """What a registry answers or a layout holds: manifests, indexes, configurations."""
    from anchorecli.source.docker_archive import read_entries
    from anchorecli.source.documents import Descriptor, leaves, load_json, read_manifest
    from anchorecli.source.imageconfig import describe_layers, read_config

    def described() -> object:
        config, diff_ids = read_config(data, path)
        return describe_layers(config, diff_ids, [Descriptor(each) for each in diff_ids], path)  # type: ignore[arg-type]

    looks: dict[str, Callable[[], object]] = {
        "manifest": lambda: read_manifest(data, path),
        "index": lambda: leaves(load_json(data, path), lambda entry: data, path),
        "config": described,
        "save": lambda: read_entries(data, Path(path)),
    }
    return _answered(looks[path])


def signature(path: str, data: bytes) -> Seen:
    """A signature or attestation that hangs on an image: of bytes made up nothing is verified."""
    blob = hanging()[path]
    changed = blob._replace(data=data)
    trust = Trust((signing.RELEASE, signing.CI, signing.LOGGED))
    found = check(Attached((changed.attachment(signing.OURS),)), trust, signing.IMAGE, signing.NOON)
    verified = any(each.checked.check is Check.VERIFIED for each in found)
    if verified and path == "simple":
        assert data == blob.data  # the very bytes are signed
    return Seen(frozenset(repr(each.checked) for each in found if verified), not verified)


def offline(path: str, data: bytes) -> Seen:
    """A file that carries feeds, full or delta."""
    from anchorecli.feeds.offline.read import import_

    with TemporaryDirectory() as folder:
        file = Path(folder) / path
        file.write_bytes(data)
        try:
            with import_(file) as opened:
                return Seen(frozenset(repr(list(records)) for _, records in opened.feeds()), False)
        except FeedError as error:
            assert error.hint
            return NOTHING


def carried(path: str, data: bytes) -> Seen:
    """The manifest and the records inside such a file, whose digests are right; and a shelf's index."""
    from anchorecli.feeds.offline.manifest import parse
    from anchorecli.feeds.shelf import read_index
    from anchorecli.feeds.sound import build, check

    if path == "index":
        return _answered(lambda: read_index(data, path))
    try:
        # What is not JSON is refused before it is looked at.
        value = json.loads(data)
    except (ValueError, RecursionError):
        return NOTHING
    try:
        if path == "record":
            check(value)
            made = build(value, "f")
            assert isinstance(made, Advisory)
            return Seen(frozenset({repr(made)}), False)
        if not isinstance(value, dict) or value.get("version") not in (1, 2):
            return NOTHING
        return Seen(frozenset({repr(parse(value, {"manifest.json": (0, 1), "feeds/0000.jsonl.zst": (0, 1)}))}), False)
    except ValueError as error:
        assert str(error)
        return NOTHING


def texts(path: str, data: bytes) -> Seen:
    """Texts of a line that strangers write: versions in every scheme, licences, package URLs, scores, Dockerfiles."""
    from anchorecli.analyzers.licenses import expression
    from anchorecli.feeds.cvss import read as read_cvss
    from anchorecli.policy.facts.dockerfile_text import instructions
    from anchorecli.report.instructions import instruction
    from anchorecli.sbom.purls import parse as parse_purl
    from anchorecli.spdx import is_expression

    text = data.decode("utf-8", "replace")
    looks: dict[str, Callable[[str], object]] = {
        "licence": lambda line: (is_expression(line), expression(line)),
        "purl": parse_purl,
        "cvss": read_cvss,
        "history": instruction,
    }
    if path == "Dockerfile":
        return Seen(frozenset(map(repr, instructions(text))), True)
    lines = text.split("\n")[:20]
    if path == "versions":
        return Seen(frozenset(_versions(lines)), True)
    return Seen(frozenset(repr(looks[path](line)) for line in lines), True)


def _versions(lines: list[str]) -> list[str]:
    """The scheme's order of what can be read: it is one, in both directions."""
    read = []
    for scheme in SCHEMES:
        keys = []
        for line in lines:
            try:
                keys.append(key(scheme, line))
            except VersionError as error:
                assert str(error)
        for one in keys:
            hash(one)
            assert all((one < other) + (one == other) + (one > other) == 1 for other in keys), scheme
        read.append(f"{scheme} {len(keys)}")
    return read


def document_parsers() -> dict[str, Callable[[str, bytes], Seen]]:
    """Every one by name."""
    every = (policy, settings, manifests, signature, offline, carried, texts)
    return {each.__name__: each for each in every}


# ── samples ─────────────────────────────────────────────────────────────────────────────────────────────────────────

_SETTINGS = (
    "fail-on: high\ntimeout: 90\nlimits: {file-bytes: 50MB, analyzers: [java.depth=50]}\n"
    "feeds:\n  debian: {url: 'https://a/b', enabled: false}\noutput: [table, json=x]\n"
    "webhooks:\n- {url: 'https://a', headers: {A: b}}\n"
)
_DOCKERFILE = (
    "# escape=`\n# a remark\nFROM --platform=$P debian:12 AS a\nRUN <<EOF cat `\n  -x\nEOF\nEXPOSE 80/tcp 90-99\n"
    'HEALTHCHECK CMD ["a", \'b\']\nCOPY --from=a x y\nUSER a:b\nENTRYPOINT ["/bin/sh"]\n'
)
_LINES = {
    "versions": "\n".join(VERSIONS),
    "licence": "GPL-2+ or Expat\n(MIT AND Apache-2.0) WITH x\nGPLv2+ and ASL 2.0\nThe MIT License (MIT)",
    "purl": "pkg:deb/debian/curl@1%3A7.50?arch=i386&distro=jessie#sub/path\npkg:npm/%40a/b@1\npkg:golang/a/b/c@v1",
    "cvss": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H\nCVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H"
    "/SC:N/SI:N/SA:N\nAV:N/AC:L/Au:N/C:P/I:P/A:P",
    "history": '|1 A=b /bin/sh -c x # buildkit\n/bin/sh -c #(nop)  CMD ["sh"]\nRUN /bin/sh -c y',
}


@cache
def document_samples() -> list[Sample]:
    """One of each."""
    digest = "sha256:" + "0" * 64
    entry = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest, "size": 7}
    platform = {"os": "linux", "architecture": "arm64", "variant": "v8"}
    layers = [entry | {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "annotations": {"a": "b"}}]
    made = {
        "manifest": {"schemaVersion": 2, "mediaType": entry["mediaType"], "config": entry, "layers": layers},
        "index": {"schemaVersion": 2, "manifests": [entry | {"platform": platform}]},
        "config": builders.config([b"a", b"b"]),
        "save": [{"Config": "a.json", "RepoTags": ["a:1"], "Layers": ["a/layer.tar"]}],
    }
    return [
        *(Sample("manifests", path, json.dumps(value).encode(), True) for path, value in made.items()),
        *(Sample("policy", f"{name}.yaml", text.encode()) for name, text in (("good", GOOD), ("full", FULL))),
        Sample("policy", "good.json", json.dumps(ENTERPRISE).encode(), True),
        Sample("settings", "config.yaml", _SETTINGS.encode()),
        *(Sample("signature", path, blob.data, True) for path, blob in hanging().items()),
        *_feed_files(),
        *(Sample("texts", path, text.encode()) for path, text in _LINES.items()),
        Sample("texts", "Dockerfile", _DOCKERFILE.encode()),
    ]


@cache
def hanging() -> dict[str, Blob]:
    """What may hang on an image, by what it is called here."""
    return {
        "simple": simple(P256, signing.OURS),
        "attestation": attestation(P256, signing.OURS),
        "bundle": bundle(P256, signing.OURS),
    }


def _feed_files() -> list[Sample]:
    """A full file, a delta, and what is in them."""
    with TemporaryDirectory() as folder:
        full, delta = Path(folder) / "full", Path(folder) / "delta"
        export(full, ((state, records) for state, records in feeds_to_export()), NOW)
        changes: list[Change] = [PLAIN, "CVE-2024-0009"]
        part = FeedPart(DEBIAN, changes, "cd" * 32, Base("ef" * 32, 3, NOW))
        export(delta, [part], Head(NOW, since=3, revision=7))
        with tarfile.open(delta) as tar:
            manifest = tar.extractfile("manifest.json").read()  # type: ignore[union-attr]
        files = [Sample("offline", path.name, path.read_bytes(), True) for path in (full, delta)]
    return [
        *files,
        Sample("carried", "manifest", manifest, True),
        Sample("carried", "record", json.dumps(to_json(WHOLE)).encode(), True),
        Sample("carried", "index", write_index(SHELF), True),
    ]
