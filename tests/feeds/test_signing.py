"""Who made a feed file: keys, signatures, and everything that is not one."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
import sys
import tarfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from anchorecli.errors import AnchoreError, FeedError, UsageError
from anchorecli.feeds import signing
from anchorecli.feeds.lines import dump
from anchorecli.feeds.offline import frame
from anchorecli.feeds.offline.intake import import_into
from anchorecli.feeds.offline.read import Conditions, describe
from anchorecli.feeds.offline.write import Head, export
from anchorecli.feeds.signing import Signer, Trust, generate
from anchorecli.model import Advisory, FeedState
from tests.feeds.samples import MemorySink

pytest.importorskip("cryptography")

NOW = "2025-03-01T00:00:00Z"
FEED = (FeedState("debian", updated_at=NOW), [Advisory("A", "debian"), Advisory("B", "debian")])


def pair(directory: Path, name: str) -> tuple[Path, str]:
    private = directory / name
    generate(private, directory / f"{name}.pub")
    return private, str(directory / f"{name}.pub")


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, str]:
    return pair(tmp_path, "ours")


def made(path: Path, private: Path | None) -> Path:
    export(path, [FEED], Head(NOW, sign=Signer(private) if private else None))
    return path


def taken(path: Path, trust: Trust) -> None:
    sink = MemorySink()
    import_into(path, sink, conditions=Conditions(trust=trust))
    assert list(sink.records["debian"]) == ["A", "B"]


def refused(path: Path, trust: Trust, why: str, kind: type[AnchoreError] = FeedError) -> None:
    sink = MemorySink()
    with pytest.raises(kind, match=why) as caught:
        import_into(path, sink, conditions=Conditions(trust=trust))
    assert caught.value.exit_code == (5 if kind is FeedError else 2)
    assert caught.value.hint
    assert sink.states == {}


def test_a_trusted_signature_is_taken(keys: tuple[Path, str], tmp_path: Path) -> None:
    private, public = keys
    path = made(tmp_path / "f", private)
    taken(path, Trust((public,), required=True))
    taken(path, Trust((public,)))
    taken(path, Trust())


def test_one_of_several_keys_and_several_keys_in_one_file(keys: tuple[Path, str], tmp_path: Path) -> None:
    path = made(tmp_path / "f", keys[0])
    _, other = pair(tmp_path, "other")
    taken(path, Trust((other, keys[1]), required=True))
    ring = tmp_path / "ring"
    ring.write_bytes(Path(other).read_bytes() + b"\nsome words\n" + Path(keys[1]).read_bytes())
    taken(path, Trust((str(ring),), required=True))


def test_without_a_signature(keys: tuple[Path, str], tmp_path: Path) -> None:
    path = made(tmp_path / "f", None)
    refused(path, Trust((keys[1],), required=True), "is not signed")
    refused(path, Trust((), required=True), "no key is trusted", UsageError)
    taken(path, Trust((keys[1],)))


def test_an_unknown_key(keys: tuple[Path, str], tmp_path: Path) -> None:
    private, _ = pair(tmp_path, "stranger")
    path = made(tmp_path / "f", private)
    for required in (True, False):
        refused(path, Trust((keys[1],), required=required), "not trusted: [0-9a-f]{16}")


def rewritten(path: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """The file with another manifest, whose own digest is right again."""
    with tarfile.open(path) as tar:
        members = {info.name: tar.extractfile(info).read() for info in tar}  # type: ignore[union-attr]
    manifest = json.loads(members.pop("manifest.json"))
    change(manifest)
    manifest.pop("digest")
    manifest["digest"] = sha256(dump(manifest).encode()).hexdigest()
    files = [(name, frame.in_memory(content.decode("latin-1"))) for name, content in members.items()]
    for (_, file), content in zip(files, members.values(), strict=True):
        file.seek(0)
        file.truncate()
        file.write(content)
    frame.write(path, [("manifest.json", frame.in_memory(dump(manifest))), *files])
    return path


def test_rewriting_as_such_works(keys: tuple[Path, str], tmp_path: Path) -> None:
    taken(rewritten(made(tmp_path / "f", keys[0]), lambda manifest: None), Trust((keys[1],), required=True))


@pytest.mark.parametrize(
    "change",
    [
        lambda manifest: manifest.update(created_at="2025-04-01T00:00:00Z"),
        lambda manifest: manifest.update(revision=99),
        lambda manifest: manifest.update(invented=1),
        lambda manifest: manifest["feeds"][0]["state"].update(updated_at="2026-03-01T00:00:00Z"),
        lambda manifest: manifest["feeds"][0].update(sha256="00"),
        lambda manifest: manifest["signatures"][0].update(value="00" * 64),
        lambda manifest: manifest["signatures"][0].update(value="no hex"),
        lambda manifest: manifest["signatures"][0].update(value=""),
    ],
)
def test_what_was_changed_after_signing(
    keys: tuple[Path, str], tmp_path: Path, change: Callable[[dict[str, Any]], None]
) -> None:
    path = rewritten(made(tmp_path / "f", keys[0]), change)
    refused(path, Trust((keys[1],), required=True), "signature by .* is wrong")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda manifest: manifest["signatures"].clear(), "is not signed"),
        (lambda manifest: manifest.pop("signatures"), "is not signed"),
        (lambda manifest: manifest["signatures"][0].update(key="00"), "not trusted"),
        (lambda manifest: manifest["signatures"][0].pop("key"), "damaged"),
        (lambda manifest: manifest.update(signatures=[7]), "damaged"),
        (lambda manifest: manifest.update(signatures=7), "damaged"),
    ],
)
def test_signatures_that_are_none(
    keys: tuple[Path, str], tmp_path: Path, change: Callable[[dict[str, Any]], None], why: str
) -> None:
    refused(rewritten(made(tmp_path / "f", keys[0]), change), Trust((keys[1],), required=True), why)


def test_a_signature_of_another_file(keys: tuple[Path, str], tmp_path: Path) -> None:
    signed = describe(made(tmp_path / "f", keys[0])).signatures[0]._asdict()
    other = tmp_path / "g"
    export(other, [FEED], Head("2025-03-02T00:00:00Z", sign=Signer(keys[0])))
    path = rewritten(other, lambda manifest: manifest.update(signatures=[signed]))
    refused(path, Trust((keys[1],), required=True), "is wrong")


def test_the_private_key_is_its_owners_alone(keys: tuple[Path, str]) -> None:
    assert stat.S_IMODE(keys[0].stat().st_mode) == 0o600
    assert b"PRIVATE" not in Path(keys[1]).read_bytes()


def test_keys_are_never_overwritten(keys: tuple[Path, str], tmp_path: Path) -> None:
    before = keys[0].read_bytes()
    with pytest.raises(FeedError, match="cannot be written"):
        generate(keys[0], tmp_path / "new.pub")
    with pytest.raises(FeedError, match="cannot be written"):
        generate(tmp_path / "new", Path(keys[1]))
    assert keys[0].read_bytes() == before
    assert not (tmp_path / "new").exists()


def test_what_is_no_key(keys: tuple[Path, str], tmp_path: Path) -> None:
    path = made(tmp_path / "f", keys[0])
    broken = tmp_path / "broken.pub"
    broken.write_text("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")
    refused(path, Trust((str(keys[0]),), required=True), "holds no public key")
    refused(path, Trust((str(tmp_path / "none"),), required=True), "cannot be read")
    refused(path, Trust((str(broken),), required=True), "no public key")
    for wrong in (keys[1], str(tmp_path / "none")):
        with pytest.raises(FeedError) as caught:
            Signer(Path(wrong))
        assert caught.value.hint


def test_another_kind_of_key(keys: tuple[Path, str], tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (tmp_path / "ec").write_bytes(key.private_bytes(pem, pkcs8, serialization.NoEncryption()))
    public = key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "ec.pub").write_bytes(public)
    with pytest.raises(FeedError, match="another kind"):
        Signer(tmp_path / "ec")
    refused(made(tmp_path / "f", keys[0]), Trust((str(tmp_path / "ec.pub"),)), "another kind")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
def test_openssl_agrees(keys: tuple[Path, str], tmp_path: Path) -> None:
    manifest = describe(made(tmp_path / "f", keys[0]))
    (tmp_path / "text").write_text(f"anchore-feeds-v1:{manifest.signed}")
    (tmp_path / "signature").write_bytes(bytes.fromhex(manifest.signatures[0].value))
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", keys[1], "-rawin", "-in", tmp_path / "text"]
    done = subprocess.run([*command, "-sigfile", tmp_path / "signature"], check=False, capture_output=True, text=True)
    assert "Signature Verified Successfully" in done.stdout
    der = subprocess.run(
        ["openssl", "pkey", "-pubin", "-in", keys[1], "-outform", "DER"], check=True, capture_output=True
    )
    assert manifest.signatures[0].key == sha256(der.stdout).hexdigest()


def test_without_the_library(keys: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = made(tmp_path / "f", keys[0])
    for name in [name for name in sys.modules if name.partition(".")[0] == "cryptography"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "cryptography", None)
    refused(path, Trust((keys[1],), required=True), "not installed", UsageError)
    with pytest.raises(UsageError, match="not installed") as caught:
        Signer(keys[0])
    assert caught.value.hint == f"{sys.executable} -m pip install cryptography"
    taken(path, signing.NO_TRUST)
