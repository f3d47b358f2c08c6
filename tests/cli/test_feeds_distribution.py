"""Feeds from site to site by command: deltas and signatures in files, a registry between, one serving the other."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.world import OPENSSL, ROOT, archive, debian, tracker
from tests.registry import needs_registry, start_registry

THEN = {"SOURCE_DATE_EPOCH": "1717200000"}
LATER = {"SOURCE_DATE_EPOCH": "1717286400"}
# Nothing but loopback can be reached: every proxy is a closed door.
CLOSED = {"HTTP_PROXY": "http://127.0.0.1:1", "HTTPS_PROXY": "http://127.0.0.1:1", "NO_PROXY": "127.0.0.1"}
MORE = {
    "openssl": OPENSSL["openssl"] | {"CVE-2024-2000": {"status": "open", "urgency": "high"}},
    "bash": {"CVE-2024-3000": {"status": "open", "urgency": "low"}},
}


class Sites:
    """One site with a network, which synced a feed, and one that has only the first."""

    def __init__(self, run: Run, directory: Path) -> None:
        self.run, self.directory = run, directory
        self.there = {"ANCHORE_STORE": str(directory / "there.db"), **CLOSED}
        self.sync(OPENSSL, THEN)

    def sync(self, data: dict[str, dict[str, dict[str, str]]], when: dict[str, str]) -> None:
        done = self.run("feeds", "sync", "debian", "--from", tracker(self.directory / "t.json", data), env=when)
        assert done.code == 0, done.err

    def same(self) -> None:
        """Both give one image the same report, byte for byte."""
        image = archive(self.directory / "image.tar", debian("openssl=3.0.11-1~deb12u1", "bash=5.2-1"))
        here = self.run("scan", image, "-o", "json", env=LATER)
        there = self.run("scan", image, "--offline", "-o", "json", env=LATER | self.there)
        assert here.code == there.code == 1, there.err
        for one, other in zip(here.json["matches"], there.json["matches"], strict=True):
            assert one == other
        assert "CVE-2024-2000" in here.out


@pytest.fixture
def sites(run: Run, tmp_path: Path) -> Sites:
    return Sites(run, tmp_path)


def test_a_full_file_and_then_deltas(sites: Sites, tmp_path: Path) -> None:
    run, there = sites.run, sites.there
    full, delta = tmp_path / "full.feeds", tmp_path / "delta.feeds"
    assert run("feeds", "export", full, env=THEN).code == 0
    sites.sync(MORE, LATER)
    done = run("feeds", "export", delta, "--since", "1", env=LATER)
    assert "revisions 1 to 2" in done.err
    refused = run("feeds", "import", delta, env=LATER | there)
    assert refused.code == 5
    assert "revision 1, which is missing here" in refused.err
    assert "nothing was imported" in refused.err
    both = run("feeds", "import", full, delta, env=LATER | there)
    assert both.code == 0, both.err
    assert "2 new" in both.err
    assert "unchanged" in run("feeds", "import", delta, env=LATER | there).err
    sites.same()


def test_a_revision_there_never_was(sites: Sites, tmp_path: Path) -> None:
    done = sites.run("feeds", "export", tmp_path / "f", "--since", "9", env=THEN)
    assert done.code == 2
    assert "feed revision 9 is not in the store" in done.err


def test_signed_files(sites: Sites, tmp_path: Path) -> None:
    pytest.importorskip("cryptography")
    run, there = sites.run, sites.there | THEN
    for name in ("ours", "stranger"):
        assert run("feeds", "keygen", tmp_path / name).code == 0
    files = {name: tmp_path / f"{name}.feeds" for name in ("ours", "stranger", "nobody")}
    for name in ("ours", "stranger"):
        assert run("feeds", "export", files[name], "--sign", tmp_path / name, env=THEN).code == 0
    assert run("feeds", "export", files["nobody"], env=THEN).code == 0
    trust = ("--require-signed-feed", "--trust", str(tmp_path / "ours.pub"))
    for name, why in (("stranger", "not trusted"), ("nobody", "is not signed")):
        done = run("feeds", "import", files[name], *trust, env=there)
        assert (done.code, why in done.err, "nothing was imported" in done.err) == (5, True, True)
    future = run("feeds", "import", files["ours"], *trust, env=there | {"SOURCE_DATE_EPOCH": "1700000000"})
    assert future.code == 5
    assert "from the future" in future.err
    assert run("feeds", "status", "--json", env=there).json == []
    # By the configuration: then nobody has to remember the flags.
    config = tmp_path / "anchore.yaml"
    config.write_text("feeds: {trusted-keys: [ours.pub]}\nrequire-signed-feed: true\n")
    settings = there | {"ANCHORE_CONFIG": str(config)}
    assert run("feeds", "import", files["nobody"], env=settings).code == 5
    assert run("feeds", "import", files["ours"], env=settings).code == 0
    # By the environment.
    variables = there | {"ANCHORE_REQUIRE_SIGNED_FEED": "1", "ANCHORE_TRUST": str(tmp_path / "stranger.pub")}
    assert run("feeds", "import", files["ours"], env=variables).code == 5
    assert run("feeds", "import", files["stranger"], env=variables).code == 0
    assert run("feeds", "import", files["ours"], "--require-signed-feed", env=there).code == 2


@needs_registry
def test_through_a_registry(sites: Sites, tmp_path: Path) -> None:
    run, there = sites.run, sites.there
    full, delta, out = tmp_path / "full.feeds", tmp_path / "delta.feeds", tmp_path / "out.feeds"
    with start_registry(tmp_path) as registry:
        name = f"{registry.host}/security/feeds:latest"
        missing = run("feeds", "pull", name, "--no-tls-verify", env=THEN | there)
        assert missing.code == 5
        assert "is not in the registry" in missing.err
        assert run("feeds", "export", full, env=THEN).code == 0
        assert run("feeds", "push", full, name, "--no-tls-verify", env=THEN).code == 0
        assert run("feeds", "pull", name, "--no-tls-verify", env=THEN | there).code == 0
        sites.sync(MORE, LATER)
        assert run("feeds", "export", delta, "--since", "1", env=LATER).code == 0
        pushed = run("feeds", "push", delta, name, "--no-tls-verify", env=LATER)
        assert "2 files" in pushed.err, pushed.err
        registry.forget()
        pulled = run("feeds", "pull", name, "--no-tls-verify", env=LATER | there)
        assert pulled.code == 0, pulled.err
        assert len(registry.blob_gets()) == 2  # the index and the delta
        sites.same()
        assert "nothing newer" in run("feeds", "pull", name, "--no-tls-verify", env=LATER | there).err
        assert run("feeds", "pull", name, "--no-tls-verify", "--out", out, env=LATER).code == 0
        assert out.read_bytes() == full.read_bytes()
        assert run("feeds", "pull", name, "--offline", env=LATER | there).code == 2
        done = run("feeds", "push", tmp_path / "none", name, "--no-tls-verify", env=LATER)
        assert done.code == 5


@contextmanager
def serving(env: dict[str, str], *options: str) -> Iterator[str]:
    """``feeds serve`` in a process of its own; its URL."""
    command = [sys.executable, "-m", "anchorecli", "feeds", "serve", "--listen", "127.0.0.1:0", *options]
    base = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    process = subprocess.Popen(command, env=base | {"PYTHONPATH": str(ROOT)} | env, stderr=subprocess.PIPE, text=True)
    told = []
    try:
        assert process.stderr is not None
        for line in process.stderr:
            told.append(line)
            if found := re.search(r"serving .* at (http://\S+)", line):
                yield found[1]
                break
        else:
            raise AssertionError("".join(told))
    finally:
        process.send_signal(signal.SIGTERM)
        rest = process.communicate(timeout=30)[1]
    assert "Traceback" not in rest, rest
    assert process.returncode == 143


def test_one_site_serves_another(sites: Sites, tmp_path: Path) -> None:
    run, there = sites.run, sites.there
    here = {"ANCHORE_STORE": str(tmp_path / "store.db"), "HOME": str(tmp_path)}
    folder = tmp_path / "store.db.served"
    with serving(here | THEN) as url:
        first = run("feeds", "sync", "--upstream", url, env=THEN | there)
        assert first.code == 0, first.err
        assert "full-1-" in first.err
    sites.sync(MORE, LATER)
    with serving(here | LATER) as url:
        assert sorted(path.name.partition("-")[0] for path in folder.iterdir()) == ["delta", "full", "index.json"]
        again = run("feeds", "sync", env=LATER | there | {"ANCHORE_UPSTREAM": url})
        assert again.code == 0, again.err
        assert "debian: 5 records (revision 2): 2 new" in again.err
        assert "nothing newer" in run("feeds", "sync", "--upstream", url, env=LATER | there).err
        assert run("feeds", "sync", "debian", "--upstream", url, env=LATER | there).code == 2
    sites.same()
    gone = run("feeds", "sync", "--upstream", url, env=LATER | there | {"ANCHORE_HTTP_TIMEOUT": "1"})
    assert gone.code == 5


def test_what_is_served_can_be_signed(sites: Sites, tmp_path: Path) -> None:
    pytest.importorskip("cryptography")
    run, there = sites.run, sites.there | THEN
    assert run("feeds", "keygen", tmp_path / "key").code == 0
    folder = tmp_path / "www"
    done = run("feeds", "serve", "--once", "--dir", folder, "--sign", tmp_path / "key", env=THEN)
    assert done.code == 0, done.err
    (file,) = folder.glob("full-*.feeds")
    assert run("feeds", "import", file, "--require-signed-feed", "--trust", tmp_path / "key.pub", env=there).code == 0


def test_a_site_that_serves_something_else(run: Run, tmp_path: Path) -> None:
    from tests.feeds.server import Answer
    from tests.feeds.server import serving as scripted

    with scripted(**{"index.json": Answer(b"<html>")}) as server:
        done = run("feeds", "sync", "--upstream", server.url, env=THEN)
    assert done.code == 5
    assert "holds no index of feed files" in done.err
