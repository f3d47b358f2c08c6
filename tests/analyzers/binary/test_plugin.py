"""Executable files made by hand: what is linked into them is found, in whatever way the layer is read."""

from __future__ import annotations

import zlib

from anchorecli.analyzers.binary.plugin import Binaries
from tests.analyzers.binary.executables import elf, go_blob
from tests.analyzers.view import make_view
from tests.builders import Entry


def test_modules_of_a_program_and_crates_of_another() -> None:
    text = "path\texample.com/a/cmd/a\nmod\texample.com/a\tv1.2.3\th1:x=\ndep\tgolang.org/x/net\tv0.20.0\th1:y=\n"
    crates = zlib.compress(b'{"packages":[{"name":"serde","version":"1.0.1","source":"crates.io"}]}')
    view = make_view(
        Binaries(),
        [
            {
                "usr/bin/a": Entry(elf({".go.buildinfo": go_blob("go1.22.3", text)}), mode=0o755),
                "usr/bin/r": Entry(elf({".dep-v0": crates}), mode=0o755),
            }
        ],
    )
    found = Binaries().assemble(view)
    assert {package.purl for package in found.packages} == {
        "pkg:golang/example.com/a@v1.2.3",
        "pkg:golang/golang.org/x/net@v0.20.0",
        "pkg:golang/stdlib@1.22.3",
        "pkg:cargo/serde@1.0.1",
    }
    assert not found.problems
