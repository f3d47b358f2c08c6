"""Gate secret_scans: what fires, what does not, with the ids and messages of Anchore Engine."""

from __future__ import annotations

import re
from hashlib import md5

import pytest

from anchorecli.errors import BundleError
from anchorecli.model import Demand, DiffId, ImagePath, Secret, Status
from anchorecli.policy.language.parameters import Arguments
from anchorecli.policy.language.rules import find_gate

from .evidence import bundle, evidence, rule_line
from .facts import gaps, original, verdict
from .golden import Golden

KEY = "PRIV_KEY=(?i)-+BEGIN(.*)PRIVATE KEY-+"
AUTH = 'DOCKER_AUTH=(?i).*"auth": *".+"'
SUB = "KEY=key,a"
RULES = {"secrets": f"{KEY}\n{AUTH}\n{SUB}"}


def secret(path, rule, line=1):
    return Secret(ImagePath(path), line, rule, "0" * 16)


IMAGE = evidence(
    facts={
        "secrets": (
            secret("root/.ssh/id_rsa", "PRIV_KEY"),
            secret("root/.docker/config.json", "DOCKER_AUTH", 3),
            secret("root/.docker/config.json", "DOCKER_AUTH", 9),
            secret("usr/share/doc/x/test.pem", "PRIV_KEY"),
        ),
        "looked_for": RULES,
    }
)
CLEAN = evidence(facts={"looked_for": RULES})
FOUND = "Secret content search analyzer found regexp match in container: file="
DOCKER = f"{FOUND}/root/.docker/config.json regexp={AUTH}"
SSH = f"{FOUND}/root/.ssh/id_rsa regexp={KEY}"
DOC = f"{FOUND}/usr/share/doc/x/test.pem regexp={KEY}"


def short(message):
    """As it is shown: with the rule's name alone."""
    return re.sub(r"( regexp=\w+)=.*", r"\1", message)


def case(params, *fires, given=IMAGE):
    """The ids are those of the original's messages, which hold the whole expression."""
    name = "secret_scans", "content_regex_checks"
    fires = tuple((md5("".join((*name, message)).encode()).hexdigest(), short(message)) for message in fires)
    return Golden(*name, given, params, fires)


def absent(files, names):
    return (
        "Secret content search analyzer did not find regexp match in container: "
        f"filename_regex={files} content_regex_name={names}"
    )


PUBLIC = evidence(
    facts={
        "secrets": (
            secret("root/.ssh/id_rsa", "PRIV_KEY"),
            Secret(ImagePath("usr/share/go/test.pem"), 1, "PRIV_KEY", "0", owner="pkg:deb/debian/golang-src@1"),
        ),
        "looked_for": RULES,
    }
)
TEST = f"{FOUND}/usr/share/go/test.pem regexp={KEY}"
NOT_FOUND = {"match_type": "notfound"}
LEFT = evidence(
    facts={
        "removed_secrets": (
            Secret(ImagePath("root/.netrc"), 1, "PRIV_KEY", "0" * 16, DiffId("sha256:" + "ab" * 32)),
            Secret(ImagePath("root/.netrc"), 4, "PRIV_KEY", "1" * 16, DiffId("sha256:" + "ab" * 32)),
            Secret(ImagePath("tmp/k"), 1, "DOCKER_AUTH", "0" * 16, DiffId("sha256:" + "cd" * 32)),
        ),
        "looked_for": RULES,
    }
)
REMOVED = "Secret found in a file that a later layer removed or replaced: file="


def removed(params, *fires, given=LEFT):
    return Golden("secret_scans", "removed_file_checks", given, params, tuple(("md5", fire) for fire in fires))


GOLDEN: tuple[Golden, ...] = (
    removed(
        {},
        f"{REMOVED}/root/.netrc rule=PRIV_KEY layer=abababababab",
        f"{REMOVED}/tmp/k rule=DOCKER_AUTH layer=cdcdcdcdcdcd",
    ),
    removed({"ignore_path": "/root/.*"}, f"{REMOVED}/tmp/k rule=DOCKER_AUTH layer=cdcdcdcdcdcd"),
    removed({}, given=IMAGE),
    case({}, DOCKER, SSH, DOC),
    case({"match_type": "found"}, DOCKER, SSH, DOC),
    case({"content_regex_name": "PRIV_KEY"}, SSH, DOC),
    case({"content_regex_name": "PRIV_KEY, DOCKER_AUTH"}, DOCKER, SSH, DOC),
    case({"content_regex_name": ["DOCKER_AUTH"]}, DOCKER),
    case({"content_regex_name": AUTH}, DOCKER),
    case({"content_regex_name": '(?i).*"auth": *".+"'}, DOCKER),
    case({"filename_regex": "/root/.*"}, DOCKER, SSH),
    case({"filename_regex": "/root/.ssh", "content_regex_name": "PRIV_KEY"}, SSH),
    case({"ignore_path": "/usr/share/doc/.*"}, DOCKER, SSH),
    case({"ignore_path": "/usr/share/doc/.*,/root/[.]ssh"}, DOCKER, SSH),
    case({"ignore_path": ["/usr/.*", "/root/.*"]}),
    case({"content_regex_name": "KEY"}),
    case({"content_regex_name": "key,a"}),
    case({"filename_regex": "root"}),
    case({"filename_regex": "/root/.ssh", "content_regex_name": "DOCKER_AUTH"}),
    case({}, SSH, TEST, given=PUBLIC),
    case({"packaged": "exclude"}, SSH, given=PUBLIC),
    case({"packaged": "only"}, TEST, given=PUBLIC),
    case({"packaged": "only"}),
    case({**NOT_FOUND, "packaged": "only"}, absent("*", "all")),
    case({}, given=CLEAN),
    case(NOT_FOUND, absent("*", "all"), given=CLEAN),
    case({**NOT_FOUND, "filename_regex": "/etc/.*"}, absent("/etc/.*", "all")),
    case({**NOT_FOUND, "content_regex_name": "KEY"}, absent("*", "KEY")),
    case({**NOT_FOUND, "ignore_path": "/.*"}, absent("*", "all")),
    case(NOT_FOUND),
    case({**NOT_FOUND, "filename_regex": "/root/.*", "content_regex_name": "PRIV_KEY"}),
)


def test_the_original_takes_names_that_are_pieces_of_the_parameter():
    params = {"content_regex_name": "MY_PRIV_KEYS"}
    found = original("secret_scans", "content_regex_checks", IMAGE, **params)
    assert [message for _, message in found] == [short(SSH), short(DOC)]
    assert verdict("secret_scans", "content_regex_checks", IMAGE, **params).findings == ()


def test_a_rule_nobody_has_is_a_gap():
    for match_type in ("found", "notfound"):
        params = {"content_regex_name": "PRIV_KEY,MINE", "match_type": match_type, "filename_regex": "/nowhere"}
        (said,) = gaps("secret_scans", "content_regex_checks", IMAGE, **params)
        assert "needs secrets of the rules MINE" in said
        assert verdict("secret_scans", "content_regex_checks", IMAGE, **params).findings == ()


def test_removed_files_that_were_not_searched_are_a_gap():
    (said,) = gaps("secret_scans", "removed_file_checks", evidence())
    assert "needs secrets, which were not looked for" in said


@pytest.mark.parametrize("match_type", ["found", "notfound"])
def test_what_was_not_looked_for_is_no_silent_pass(match_type):
    found = verdict("secret_scans", "content_regex_checks", evidence(), match_type=match_type)
    assert (found.status, found.findings) == (Status.INDETERMINATE, ())
    assert "needs secrets, which were not looked for" in found.problems[0].message


def test_a_secret_of_a_rule_that_is_not_listed_is_shown():
    given = evidence(facts={"secrets": (secret("a", "NEW"),), "looked_for": RULES})
    (finding,) = verdict("secret_scans", "content_regex_checks", given).findings
    assert finding.message == f"{FOUND}/a regexp=NEW"


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"filename_regex": "["}, "unterminated"),
        ({"ignore_path": "["}, '"ignore_path" holds'),
        ({"match_type": "never"}, "must be one of notfound found"),
    ],
)
def test_unusable_parameters_are_refused(params, said):
    with pytest.raises(BundleError) as caught:
        bundle(rule_line("secret_scans", "content_regex_checks", **params))
    assert said in str(caught.value)


def test_the_rule_has_secrets_looked_for():
    trigger, removed = find_gate("secret_scans").triggers
    assert removed.demands(Arguments({})) == Demand(secrets=True)
    assert trigger.demands(Arguments({})) == Demand(secrets=True)
    assert trigger.looks_at(IMAGE, Arguments({})) == "3 secret rules"
    limited = evidence(facts={"looked_for": RULES | {"secrets.limit": "files of up to 9 bytes"}})
    assert trigger.looks_at(limited, Arguments({})) == "3 secret rules in files of up to 9 bytes"


def test_a_secret_in_the_configuration():
    given = evidence(facts={"secrets": (secret("image config: Env", "KEY"),), "looked_for": RULES})
    (finding,) = verdict("secret_scans", "content_regex_checks", given).findings
    assert finding.message == f"{FOUND}image config: Env regexp=KEY"
    assert verdict("secret_scans", "content_regex_checks", given, ignore_path="image config: .*").findings == ()
