"""Programs that ``cargo install`` put beside each other.

Format: https://doc.rust-lang.org/cargo/commands/cargo-install.html , ``.crates2.json`` in the installation's root:
``{"installs": {"ripgrep 14.1.0 (registry+https://…)": {"bins": ["rg"]}}}``. ``.crates.toml`` says the same with less.
A program that tells of its crates by itself (cargo-auditable) is that one; see ``second_hand``.
"""

from __future__ import annotations

from collections.abc import Iterator

from anchorecli.analyzers.documents import read_json
from anchorecli.analyzers.language.core_metadata import printable
from anchorecli.analyzers.language.rows import Row, row
from anchorecli.analyzers.second_hand import RECEIPT

_REGISTRIES = ("registry+https://github.com/rust-lang/crates.io-index", "sparse+https://index.crates.io/")


def read(path: str, data: bytes) -> Iterator[Row]:
    """The crate of each installed program that is still there."""
    document = read_json(data)
    installs = document.get("installs") if isinstance(document, dict) else None
    for key, said in installs.items() if isinstance(installs, dict) else ():
        name, _, rest = printable(key).partition(" ")
        version, _, source = rest.partition(" ")
        source = source.strip("()")
        bins = said.get("bins") if isinstance(said, dict) else None
        bins = [printable(each) for each in bins if isinstance(each, str)] if isinstance(bins, list) else []
        if not name or not version or not bins:
            continue
        metadata = {"evidence": RECEIPT} | ({} if source in _REGISTRIES else {"source": source})
        yield row("cargo", name, version, file=f"bin/{bins[0]}", metadata=metadata)
