"""What judging an image with the built-in policy must not import: it is on the path of every scan."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import json, sys
from anchorecli.model import Analysis, Image, ImageConfig, ImageRef, Platform
from anchorecli.policy.base import Evidence
from anchorecli.policy.bundle import default_bundle
from anchorecli.policy.evaluate import evaluate
reference = ImageRef("registry", "debian:12", registry="docker.io", repository="debian", tag="12")
image = Image(reference, "", "", ImageConfig(Platform("linux", "amd64")), ())
verdict = evaluate(default_bundle(), Evidence(Analysis(image, None, ()), reference, "2025-01-01T00:00:00Z"))
print(json.dumps([verdict.status, sorted(sys.modules)]))
"""


def test_the_built_in_policy_needs_no_slow_library():
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, cwd=root)
    status, modules = json.loads(done.stdout)
    assert status == "pass"
    slow = {
        "yaml",
        "difflib",
        "tempfile",
        "urllib.request",
        "anchorecli.patterns.automaton",
        "anchorecli.policy.authoring.reference",
    }
    assert slow & set(modules) == set()
    assert not [
        name for name in modules if name.startswith("anchorecli.") and name.split(".")[1] in ("store", "source")
    ]
