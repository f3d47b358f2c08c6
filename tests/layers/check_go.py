"""Holds our reader of tars against Go's ``archive/tar``: ``python -m tests.layers.check_go [--seconds N] [--seed N]``.

Tars are made at random of what readers differ about: long names, pax records, sparse files, prefixes, numbers of odd
forms, zeros. Where both take a tar for whole, paths, kinds, targets, sizes and contents have to be the same. It needs
``go``, and nothing of the network.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import IO, Any, NamedTuple

from anchorecli.errors import IntegrityError
from anchorecli.layers.tar import normalise
from anchorecli.tree import WHITEOUT
from tests.fuzz.inside import changed_inside
from tests.fuzz.mutation import drawn, mutated
from tests.layers.reading import Keeper, read
from tests.layers.test_like_go import GNU, USTAR, header, long_name, padded, pax

PROGRAM = """package main

import (
	"archive/tar"
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
)

type entry struct {
	Name, Link []byte
	Type       int
	Size       int64
	Digest     string
}

type answer struct {
	Error   string
	Entries []entry
}

func walk(data []byte) (found answer) {
	reader := tar.NewReader(bytes.NewReader(data))
	for {
		head, err := reader.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			found.Error = err.Error()
			return
		}
		sum := sha256.New()
		if _, err := io.Copy(sum, io.LimitReader(reader, 1<<22)); err != nil {
			found.Error = err.Error()
			return
		}
		found.Entries = append(found.Entries, entry{
			[]byte(head.Name), []byte(head.Linkname), int(head.Typeflag), head.Size, hex.EncodeToString(sum.Sum(nil)),
		})
	}
}

func main() {
	in, out := bufio.NewReader(os.Stdin), bufio.NewWriter(os.Stdout)
	for {
		var size uint32
		if binary.Read(in, binary.LittleEndian, &size) != nil {
			return
		}
		data := make([]byte, size)
		io.ReadFull(in, data)
		line, _ := json.Marshal(walk(data))
		out.Write(append(line, '\\n'))
		out.Flush()
	}
}
"""

_KINDS = {0: "f", 0x30: "f", 0x31: "h", 0x32: "l", 0x33: "c", 0x34: "c", 0x35: "d", 0x36: "p", 0x37: "f", 0x53: "f"}
_NAMES = (
    b"a", b"etc/x", b"var/lib/dpkg/status", b"d/", b"./a/../b", b"x" * 100, b"p" * 90 + b"/q", b"a\0b", b"/abs", b"",
    b".",
    b".wh.a", b"a/.wh..wh..opq", b"\xff\xfe", b"a b", b"..", b"d/../../e", b"./", b"a//b", b"a/", b"a/./b",
)  # fmt: skip
_SIZES = (
    b"\x80" + bytes(10) + b"\5",
    b" 5\0".ljust(12, b"\0"),
    b"           5",
    b"000000001000",
    b"-1".ljust(12, b"\0"),
)
_VALUES: dict[bytes, tuple[bytes, ...]] = {
    **dict.fromkeys((b"path", b"linkpath", b"GNU.sparse.name", b"comment"), _NAMES),
    b"size": (b"5", b"0", b"512", b"", b"-1", b"x", b"5.0", b"+5"),
    b"GNU.sparse.major": (b"0", b"1", b"2", b""),
    b"GNU.sparse.minor": (b"0", b"1", b""),
    b"GNU.sparse.map": (b"0,5", b"0,1,3,2", b"", b"5,0"),
    b"GNU.sparse.realsize": (b"5", b"10", b""),
    b"GNU.sparse.size": (b"5", b"10"),
    b"GNU.sparse.numblocks": (b"1",),
    b"mtime": (b"1.5", b""),
}


class Seen(NamedTuple):
    """A path as a reader has it."""

    kind: str
    target: str
    size: int
    digest: str


def main() -> int:
    """1 where the readers differ."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if shutil.which("go") is None:
        print("go is not on this machine", file=sys.stderr)
        return 2
    random = Random(arguments.seed)
    with TemporaryDirectory() as folder:
        (Path(folder) / "main.go").write_text(PROGRAM)
        command = ["go", "build", "-o", "walk", "main.go"]
        subprocess.run(command, cwd=folder, check=True)
        with subprocess.Popen([f"{folder}/walk"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdin and process.stdout
            return compared(random, arguments.seconds, (process.stdin, process.stdout))


def compared(random: Random, seconds: int, pipes: tuple[IO[bytes], IO[bytes]]) -> int:
    """Compare for some seconds, then close the pipe."""
    end, made, whole, different = time.monotonic() + seconds, 0, 0, 0
    while time.monotonic() < end and different < 5:
        data = drawn_tar(random)
        made += 1
        ours, theirs = by_us(data), by_go(data, pipes)
        if ours is None or theirs is None:
            continue
        whole += 1
        if ours != theirs:
            different += 1
            print(f"{base64.b64encode(data).decode()}\n  ours {ours}\n  Go's {theirs}")
    pipes[0].close()
    print(f"{made} tars, {whole} of them whole to both, {different} read differently")
    return bool(different)


def by_us(data: bytes) -> dict[str, Seen] | None:
    """None where it is damaged."""
    keeper = Keeper()
    try:
        result = read(data, keeper=keeper)
    except IntegrityError:
        return None
    if not result.complete:
        return None
    found = {}
    for row, path in enumerate(result.index.paths):
        kind = result.index.kinds[row]
        content = keeper.seen.get(path, b"") if kind == "f" else b""
        digest = hashlib.sha256(content).hexdigest() if kind == "f" else ""
        found[path] = Seen(kind, result.index.targets.get(row, ""), result.index.sizes[row], digest)
    return found


def by_go(data: bytes, pipes: tuple[IO[bytes], IO[bytes]]) -> dict[str, Seen] | None:
    """None where it is damaged, or of types that no runtime unpacks."""
    pipes[0].write(struct.pack("<I", len(data)) + data)
    pipes[0].flush()
    answer: dict[str, Any] = json.loads(pipes[1].readline())
    found = {}
    for each in answer["Entries"] or []:
        name, target = (
            base64.b64decode(each[key] or "").decode("utf-8", "surrogateescape") for key in ("Name", "Link")
        )
        path = normalise(name)
        if each["Type"] == ord("g") or not path or path.rpartition("/")[2].startswith(WHITEOUT):
            continue
        kind = _KINDS.get(each["Type"], "")
        if not kind:
            return None
        target = normalise(target) if kind == "h" else target if kind == "l" else ""
        regular = kind == "f"
        found[path] = Seen(kind, target, each["Size"] if regular else 0, each["Digest"] if regular else "")
    return None if answer["Error"] else found


# ── tars at random ──────────────────────────────────────────────────────────────────────────────────────────────────


def drawn_tar(random: Random) -> bytes:
    """A few entries, with and without extension headers before them."""
    parts = []
    for _ in range(random.randrange(1, 4)):
        parts += [_extension(random) for _ in range(random.choice((0, 0, 1, 1, 2)))]
        parts.append(_entry(random))
    data = b"".join(parts) + random.choice((bytes(1024), bytes(1024), b"", bytes(512)))
    change: Callable[[bytes], bytes] = lambda part: mutated(part, drawn(random))  # noqa: E731
    return changed_inside(data, change, random) if random.random() < 0.3 else data


def _extension(random: Random) -> bytes:
    if random.random() < 0.5:
        name = random.choice(_NAMES) + random.choice((b"", b"\0", b"\0more"))
        return long_name(name, random.choice((b"L", b"K")))
    keys = [random.choice(list(_VALUES)) for _ in range(random.randrange(1, 4))]
    return pax(*((key, random.choice(_VALUES[key])) for key in keys), flag=random.choice((b"x", b"x", b"x", b"g")))


def _entry(random: Random) -> bytes:
    flag = random.choice((b"0", b"0", b"0", b"\0", b"7", b"1", b"2", b"5", b"3", b"S"))
    content = b"c" * random.choice((0, 1, 5, 511, 512, 513)) if flag in b"0\x007S" else b""
    size = random.choice(_SIZES) if random.random() < 0.1 else len(content)
    return header(
        random.choice(_NAMES),
        size=size,
        flag=flag,
        magic=random.choice((USTAR, USTAR, GNU, b"ustar\x00 \0", bytes(8), b"ustar\0\0\0")),
        link=random.choice((b"", b"a", b"etc/x", b"x\0y")),
        prefix=random.choice((b"", b"", b"pre", b"var/lib", b"\xff", b"p" * 155, b"12345670", b"00000000000\0xyz")),
        end=b"tar\0" if random.random() < 0.1 else b"",
    ) + padded(content)


if __name__ == "__main__":
    sys.exit(main())
