"""ClamAV: the protocol of clamd, what becomes of its refusals, and clamscan for those who have no daemon."""

from __future__ import annotations

import shutil
import socket
import threading
from hashlib import md5
from pathlib import Path

import pytest

from anchorecli.source import clamav
from anchorecli.source.clamav import Clamd, Clamscan, find_scanner
from tests.source.clamd import EICAR, clamd


@pytest.fixture(autouse=True)
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine without ClamAV, wherever the tests run."""
    monkeypatch.setattr(clamav, "SOCKETS", ())
    monkeypatch.setattr(shutil, "which", lambda _program: None)


def test_a_daemon_is_asked_file_by_file() -> None:
    with clamd() as (address, daemon):
        scanner = find_scanner(address)
        assert isinstance(scanner, Clamd)
        assert (scanner.name, scanner.identity) == ("clamav", "clamav 1.0.0/27000/today")
        assert scanner.scan([b"a", b"", b"b" * 70_000]) == []
        assert scanner.scan([EICAR[:10], EICAR[10:]]) == ["Eicar-Test-Signature"]
        assert daemon.scanned == [70_001, len(EICAR)]
        assert scanner.finish({"x": ["y"]}) == {"x": ["y"]}


def test_a_unix_socket_is_an_address_too(tmp_path: Path) -> None:
    from tests.source.clamd import Daemon

    path = tmp_path / "clamd.ctl"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        threading.Thread(target=Daemon(listener).serve, daemon=True).start()
        for address in (str(path), f"unix:{path}"):
            scanner = find_scanner(address)
            assert isinstance(scanner, Clamd)
            assert scanner.scan([EICAR]) == ["Eicar-Test-Signature"]


def test_the_usual_sockets_are_tried_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    with clamd() as (address, _):
        monkeypatch.setattr(clamav, "SOCKETS", ("/nowhere/clamd.ctl", address))
        scanner = find_scanner()
        assert isinstance(scanner, Clamd) and scanner.address == address


def test_what_the_daemon_did_not_scan_is_no_clean_file() -> None:
    with clamd(limit=100_000) as (address, _):
        scanner = find_scanner(address)
        assert isinstance(scanner, Clamd)
        with pytest.raises(ValueError, match="INSTREAM size limit exceeded"):
            scanner.scan(b"x" * 65536 for _ in range(200))
    with pytest.raises(OSError, match=r"refused|reset|timed out"):
        scanner.scan([b"x"])


@pytest.mark.parametrize("address", ["/nowhere/clamd.ctl", "127.0.0.1:1", "no port", "127.0.0.1:x", "::"])
def test_an_address_where_nobody_answers_is_no_scanner(address: str) -> None:
    assert find_scanner(address) is None


def test_somebody_else_behind_the_address_is_no_scanner() -> None:
    with clamd(version="220 mail.example ESMTP") as (address, _):
        assert find_scanner(address) is None


def test_without_daemon_and_program_there_is_none() -> None:
    assert find_scanner() is None


PROGRAM = """#!/bin/sh
case "$*" in *--version*) echo "ClamAV 1.4.3/27000/today"; exit 0;; esac
for last; do :; done
grep -lr STANDARD-ANTIVIRUS "$last" | while read f; do echo "$f: Eicar-Test-Signature FOUND"; done
[ -e "$last/9" ] && { echo "LibClamAV Error: cannot load" >&2; exit 2; }
exit 1
"""


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "clamscan"
    path.write_text(PROGRAM)
    path.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda _program: str(path))
    return path


def test_the_program_is_run_once_for_all_files_of_a_layer(program: Path) -> None:
    scanner = find_scanner()
    assert isinstance(scanner, Clamscan)
    assert scanner.identity == "clamav 1.4.3/27000/today"
    values = {path: scanner.scan([content]) for path, content in {"a": b"fine", "b: FOUND": EICAR, "c": b""}.items()}
    kept = Path(scanner._here.directory.name)
    assert sorted(path.name for path in kept.iterdir()) == ["1", "2", "3"]
    assert scanner.finish(values) == {"b: FOUND": ["Eicar-Test-Signature"]}
    assert not kept.exists()
    assert scanner.finish({}) == {}


def test_a_program_that_fails_says_why(program: Path) -> None:
    scanner = find_scanner()
    assert isinstance(scanner, Clamscan)
    values = {str(number): scanner.scan([b"x"]) for number in range(9)}
    with pytest.raises(ValueError, match="clamscan: LibClamAV Error: cannot load"):
        scanner.finish(values)


def test_a_program_without_any_database_is_no_scanner(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program.write_text(PROGRAM.replace("/27000/today", ""))
    monkeypatch.setattr(clamav, "DATABASES", str(tmp_path / "none"))
    assert find_scanner() is None
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "own.hdb").write_text("x")
    assert isinstance(find_scanner(), Clamscan)


REAL = shutil.which("clamscan")


@pytest.mark.skipif(REAL is None, reason="clamscan is not installed")
def test_the_real_program_understands_what_it_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = tmp_path / "own.hdb"
    database.write_text(f"{md5(EICAR).hexdigest()}:{len(EICAR)}:Test.Eicar\n")
    wrapper = tmp_path / "clamscan"
    wrapper.write_text(f'#!/bin/sh\nexec {REAL} --database={database} "$@"\n')
    wrapper.chmod(0o755)
    scanner = Clamscan(str(wrapper), "ClamAV test")
    values = {path: scanner.scan([content]) for path, content in {"a": b"fine", "b": EICAR}.items()}
    assert scanner.finish(values) == {"b": ["Test.Eicar.UNOFFICIAL"]}
