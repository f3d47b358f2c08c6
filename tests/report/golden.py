"""Expected outputs as files in ``golden/``.

``REWRITE_GOLDEN=1 pytest tests/report`` writes them anew; look at the diff before committing. A missing file fails its
test, and a file that no case names fails ``test_golden.py``.
"""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = Path(__file__).parent / "golden"


def check(name: str, text: str) -> None:
    """Fails where ``text`` is not what the file holds, or where there is no file."""
    path = FOLDER / name
    if os.environ.get("REWRITE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    assert path.exists(), f"{path} is missing: run REWRITE_GOLDEN=1 pytest tests/report"
    assert text == path.read_text(encoding="utf-8")
