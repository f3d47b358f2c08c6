"""A version made up of a commit is not compared with releases: it would be older than all of them."""

from __future__ import annotations

from dataclasses import replace

from anchorecli.model import MatchVerdict, Package
from tests.matching.feeds import Feeds, advisory, affected


def test_a_made_up_version_makes_the_verdict_unknown() -> None:
    module = Package("example.com/a", "v0.0.0-20240131120000-abcdef123456", "golang", "go", "pkg:golang/example.com/a")
    feeds = Feeds([advisory("GHSA-1", affected("golang", "example.com/a", "1.2.3", scheme="go"), feed="ghsa")])
    (known,) = feeds.match(module, distro=None).matches
    assert known.verdict is MatchVerdict.AFFECTED
    (match,) = feeds.match(replace(module, metadata={"inexact": "built from a commit"}), distro=None).matches
    assert match.verdict is MatchVerdict.UNKNOWN
    assert match.package.version == module.version
