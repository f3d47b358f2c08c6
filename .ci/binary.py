"""Builds dist/anchore: one executable file that needs no Python on the machine it runs on.

PyInstaller collects the *installed* wheel and an interpreter into a folder; that folder, compressed, follows a short
shell script which unpacks it once into the user's cache and runs it from there. (PyInstaller's own one-file mode
unpacks at every start, which costs more time than a scan of a known image.)
"""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "binary"

HEADER = """#!/bin/sh
# anchore {version}: unpacks itself once into the cache, then runs from there. Needs sh, tail, tar and gzip.
key={key}
base="${{XDG_CACHE_HOME:-${{HOME:-/nonexistent}}/.cache}}/anchore/bin"
dir="$base/$key"
if [ ! -x "$dir/anchore" ] || [ ! -O "$dir/anchore" ]; then
    umask 077
    if ! mkdir -p "$base" 2>/dev/null || [ ! -O "$base" ] || [ ! -w "$base" ]; then
        base=$(mktemp -d "${{TMPDIR:-/tmp}}/anchore.XXXXXX") || exit 2
        trap 'rm -rf "$base"' EXIT
        dir="$base/$key" once=1
    fi
    new=$(mktemp -d "$base/.new.XXXXXX") || {{ echo "anchore: cannot write to $base: set XDG_CACHE_HOME" >&2; exit 2; }}
    tail -n +{lines} "$0" | tar -xzf - -C "$new" || {{
        rm -rf "$new"
        echo "anchore: could not unpack into $base: is the file complete, and is there room (80 MB)?" >&2
        exit 2
    }}
    # Another process may have been faster: then its copy serves.
    mv "$new/anchore" "$dir" 2>/dev/null || true
    rm -rf "$new"
    if [ -n "${{once:-}}" ]; then
        "$dir/anchore" "$@"
        exit $?
    fi
fi
exec "$dir/anchore" "$@"
exit 2
"""


def main() -> None:
    """Build, pack, report the size."""
    shutil.rmtree(BUILD, ignore_errors=True)
    BUILD.mkdir(parents=True)
    entry = BUILD / "entry.py"
    entry.write_text("from anchorecli.__main__ import main\nmain()\n")
    command = [
        sys.executable, "-I", "-m", "PyInstaller", "--noconfirm", "--clean", "--log-level", "WARN", "--onedir",
        "--name", "anchore", "--strip", "--optimize", "1", "--debug", "noarchive",
        "--collect-submodules", "anchorecli", "--collect-data", "anchorecli", "--collect-submodules", "isal",
        "--collect-submodules", "backports.zstd", "--collect-data", "cyclonedx", "--collect-submodules", "cyclonedx",
        "--collect-data", "license_expression", "--copy-metadata", "sqlite_utils",
        "--exclude-module", "tkinter", "--exclude-module", "unittest", "--exclude-module", "pip",
        # What only tests validate with, where the build shares their environment.
        "--exclude-module", "lxml", "--exclude-module", "jsonschema", "--exclude-module", "referencing",
        "--distpath", str(BUILD / "dist"), "--workpath", str(BUILD / "work"), "--specpath", str(BUILD), str(entry),
    ]  # fmt: skip
    # Away from the checkout, so that the installed package is what gets collected.
    subprocess.run(command, check=True, cwd=BUILD)
    payload = packed(BUILD / "dist" / "anchore")
    key = hashlib.sha256(payload).hexdigest()[:24]
    version = subprocess.run(
        [sys.executable, "-I", "-c", "import anchorecli; print(anchorecli.__version__)"],
        check=True, capture_output=True, text=True, cwd=BUILD,
    ).stdout.strip()  # fmt: skip
    header = HEADER.format(version=version, key=key, lines=HEADER.count("\n") + 1)
    target = ROOT / "dist" / "anchore"
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(header.encode() + payload)
    target.chmod(0o755)
    sys.stderr.write(f"{target.relative_to(ROOT)}: {target.stat().st_size / 1e6:.1f} MB\n")


def packed(folder: Path) -> bytes:
    """The folder as a gzip'd tar named ``anchore``, without times and owners: equal builds give equal bytes."""

    def plain(info: tarfile.TarInfo) -> tarfile.TarInfo:
        info.uid = info.gid = info.mtime = 0
        info.uname = info.gname = ""
        return info

    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for path in sorted(folder.rglob("*")):
            tar.add(path, f"anchore/{path.relative_to(folder)}", recursive=False, filter=plain)
    done = subprocess.run(["gzip", "-9n"], input=out.getvalue(), check=True, capture_output=True)
    return done.stdout


if __name__ == "__main__":
    main()
