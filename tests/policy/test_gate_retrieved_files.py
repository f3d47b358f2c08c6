"""Gate retrieved_files: what fires, what does not, with the ids and messages of Anchore Engine."""

from __future__ import annotations

import pytest

from anchorecli.errors import BundleError
from anchorecli.model import Demand, ImagePath, RetrievedFile, Status
from anchorecli.policy.language.parameters import Arguments
from anchorecli.policy.language.rules import find_gate

from .evidence import bundle, evidence, rule_line
from .facts import original, verdict
from .golden import Golden

CONFIG = b"Listen 80\r\nSSLEnabled off\n\xff\xfe binary\nLogLevel warn"
PATH = "/etc/httpd.conf"
IMAGE = evidence(
    facts={
        "retrieved": (RetrievedFile(ImagePath("etc/httpd.conf"), CONFIG), RetrievedFile(ImagePath("etc/empty"), b"")),
        "looked_for": {"retrieve": "etc/absent\netc/empty\netc/httpd.conf"},
    }
)
MISSING = "Cannot locate file in the image analysis"


def missing(path, *fires, given=IMAGE):
    fires = tuple(("md5", message) for message in fires)
    return Golden("retrieved_files", "content_not_available", given, {"path": path}, fires)


def content(regex, check, *, fires, path=PATH):
    message = f"Content regex '{regex}' check '{check}' found in retrieved file '{path}'"
    params = {"path": path, "regex": regex, "check": check}
    found = ((f"r+file://{path}", message),) if fires else ()
    return Golden("retrieved_files", "content_regex", IMAGE, params, found)


GOLDEN: tuple[Golden, ...] = (
    missing("/etc/absent", MISSING),
    missing("/etc/other", MISSING),
    missing(PATH, MISSING, given=evidence()),
    missing(PATH),
    missing("etc//httpd.conf"),
    missing("/etc/empty"),
    content(r"SSLEnabled\s+off$", "match", fires=True),
    content("Listen 80$", "match", fires=True),
    content(".*binary", "match", fires=True),
    content("LogLevel warn$", "match", fires=True),
    content("off", "match", fires=False),
    content(r"SSLEnabled\s+on", "match", fires=False),
    content(r"SSLEnabled\s+on", "no_match", fires=True),
    content(r"SSLEnabled\s+off", "no_match", fires=False),
    content("x", "no_match", fires=True, path="/etc/empty"),
    content("$", "match", fires=True, path="/etc/empty"),
    content("x", "no_match", fires=False, path="/etc/absent"),
)


def test_the_original_looks_at_words():
    def at(regex, check="match"):
        return original("retrieved_files", "content_regex", IMAGE, path=PATH, regex=regex, check=check)

    assert at("Listen 80") == []
    assert len(at("Listen 80", "no_match")) == 1
    assert len(at("off")) == 1


def test_a_file_that_was_not_looked_for_is_no_silent_pass():
    params = {"path": "/etc/other", "regex": "x", "check": "match"}
    found = verdict("retrieved_files", "content_regex", IMAGE, **params)
    assert (found.status, found.findings) == (Status.INDETERMINATE, ())
    assert "needs the contents of /etc/other" in found.problems[0].message
    assert verdict("retrieved_files", "content_not_available", evidence(), path=PATH).status is Status.FAIL


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"path": "/etc/x", "regex": "[", "check": "match"}, "unterminated"),
        ({"path": "/", "regex": "x", "check": "match"}, '"path" must be the path of a file'),
        ({"path": "/etc/../x", "regex": "x", "check": "match"}, '"path" must be the path of a file'),
        ({"path": "/etc/x", "regex": "x", "check": "Match"}, "must be one of match no_match"),
        ({"path": "/etc/x", "regex": "x"}, 'needs the parameter "check"'),
    ],
)
def test_unusable_parameters_are_refused(params, said):
    with pytest.raises(BundleError) as caught:
        bundle(rule_line("retrieved_files", "content_regex", **params))
    assert said in str(caught.value)


def test_each_rule_has_its_file_fetched():
    for trigger in find_gate("retrieved_files").triggers:
        assert trigger.demands(Arguments({"path": PATH})) == Demand(retrieve=("etc/httpd.conf",))
        assert trigger.looks_at(IMAGE, Arguments({"path": PATH})) == PATH
