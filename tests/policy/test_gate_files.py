"""Gate files: what fires, what does not, with the ids and messages of Anchore Engine."""

from __future__ import annotations

from base64 import b64encode, encodebytes

import pytest

from anchorecli.errors import BundleError
from anchorecli.model import ContentMatch, Demand, ImagePath, Status
from anchorecli.policy.language.parameters import arguments
from anchorecli.policy.language.rules import find_gate, find_trigger
from anchorecli.tree import Tree

from .evidence import bundle, evidence, fired, messages, rule_line
from .facts import Path, gaps, image_of, layer, original, verdict
from .golden import Golden

PASSWORD = "PASSWORD=(?i).*password *=.*"
TOKEN = "TOKEN=.*token.*"
CONTENTS = evidence(
    facts={
        "contents": (
            ContentMatch(ImagePath("opt/b.conf"), TOKEN, (4,)),
            ContentMatch(ImagePath("etc/a.conf"), PASSWORD, (1, 9)),
            ContentMatch(ImagePath("opt/b.conf"), PASSWORD, (2,)),
        ),
        "looked_for": {"contents": f"{PASSWORD}\n{TOKEN}"},
    }
)
NOTHING_FOUND = evidence(facts={"looked_for": {"contents": PASSWORD}})
FOUND = "File content analyzer found regexp match in container: file="

DIGEST = "ab" * 32
IMAGE = image_of(
    {
        "usr": Path(0o755, "d"),
        "usr/bin": Path(0o755, "d"),
        "usr/bin/su": Path(0o4755),
        "usr/bin/sudo": Path(0o4711),
        "usr/bin/wall": Path(0o2755, "h", target="usr/bin/write"),
        "usr/bin/write": Path(0o2755, sha256=DIGEST),
        "var/mail": Path(0o2775, "d"),
        "tmp": Path(0o1777, "d"),
        "srv": Path(0o777, "d"),
        "srv/data": Path(0o666),
        "dev/null": Path(0o666, "c"),
        "bin": Path(0o777, "l", target="usr/bin"),
        "etc/key.pem": Path(0o600, sha256=DIGEST),
        "etc/link.pem": Path(0o777, "l", target="key.pem"),
        "etc/dangling": Path(0o777, "l", target="nowhere"),
    }
)
CLEAN = image_of({"etc": Path(0o755, "d"), "etc/motd": Path(0o644, sha256=DIGEST)})
CAPABLE = image_of(
    {
        "usr/bin/ping": Path(0o755, capabilities="cap_net_raw=ep"),
        "usr/bin/mtr": Path(0o755, "h", target="usr/bin/ping"),
        "usr/bin/web": Path(0o755, capabilities="cap_net_bind_service=eip cap_chown+ei [rootid=7]"),
        "usr/bin/all": Path(0o755, capabilities="=ep"),
        "usr/bin/none": Path(0o755),
    }
)
CAPABLE_FOUND = "Capabilities found set on file "
MATCHED = "Application of regex matched file found in container: file="
SET = "SUID or SGID found set on file "
WRITABLE = "World-writable path found: "
UNOWNED = evidence(
    facts={"unowned": (ImagePath("usr/local/bin/tool"), ImagePath("app/run")), "looked_for": {"unowned": "elf"}}
)
NONE_UNOWNED = evidence(facts={"looked_for": {"unowned": "elf"}})
UNOWNED_FOUND = "Executable file that no package owns found: "


def case(trigger, given, params, *fires):
    return Golden("files", trigger, given, params, tuple(("md5", message) for message in fires))


def content(*fires, given=CONTENTS, **params):
    return case("content_regex_match", given, params, *(FOUND + fire for fire in fires))


def name(regex, *paths, given=IMAGE):
    return case("name_match", given, {"regex": regex}, *(f"{MATCHED}{path} regexp={regex}" for path in paths))


def attribute(*fires, given=IMAGE, filename="/etc/key.pem", **params):
    return case("attribute_match", given, {"filename": filename, **params}, *fires)


OTHER = "cd" * 32
GOLDEN: tuple[Golden, ...] = (
    content(f"/etc/a.conf regexp={PASSWORD}", f"/opt/b.conf regexp={PASSWORD}", f"/opt/b.conf regexp={TOKEN}"),
    content(f"/opt/b.conf regexp={TOKEN}", regex_name="TOKEN"),
    content(f"/opt/b.conf regexp={TOKEN}", regex_name=TOKEN),
    content(f"/opt/b.conf regexp={TOKEN}", regex_name=".*token.*"),
    content(f"/opt/b.conf regexp={TOKEN}", regex_name=b64encode(TOKEN.encode()).decode()),
    content(f"/opt/b.conf regexp={TOKEN}", regex_name=encodebytes(TOKEN.encode()).decode()),
    content(given=NOTHING_FOUND),
    content(regex_name="OTHER"),
    name(r".*\.pem$", "/etc/key.pem", "/etc/link.pem"),
    name("/(srv|tmp)$", "/srv", "/tmp"),
    name("key"),
    name(r".*\.pem$", given=CLEAN),
    attribute(f"filename=/etc/key.pem and checksum={DIGEST} op=equals specified_checksum={DIGEST}", checksum=DIGEST),
    attribute(
        f"filename=/etc/key.pem and checksum={DIGEST} op=equals specified_checksum={DIGEST.upper()}",
        checksum=DIGEST.upper(),
        checksum_algorithm="sha256",
        checksum_match="equals",
    ),
    attribute(
        f"filename=/etc/key.pem and checksum={DIGEST} op=not_equals specified_checksum={OTHER}",
        checksum=OTHER,
        checksum_match="not_equals",
    ),
    attribute(
        f"filename=/srv and checksum=DIRECTORY_OR_OTHER op=not_equals specified_checksum={OTHER}",
        filename="/srv",
        checksum=OTHER,
        checksum_match="not_equals",
    ),
    attribute("filename=/etc/key.pem and mode=0o600 op=equals specified_mode=0o600", mode="00600"),
    attribute("filename=/etc/key.pem and mode=0o600 op=equals specified_mode=0o600", mode="0o600", mode_op="equals"),
    attribute(
        "filename=/etc/key.pem and mode=0o600 op=not_equals specified_mode=0o400", mode="400", mode_op="not_equals"
    ),
    attribute(
        "filename=/usr/bin/su and mode=0o4755 op=equals specified_mode=0o4755", filename="/usr/bin/su", mode="4755"
    ),
    attribute(
        f"filename=/etc/key.pem and checksum={DIGEST} op=equals specified_checksum={DIGEST}"
        " and mode=0o600 op=not_equals specified_mode=0o400",
        checksum=DIGEST,
        mode="0400",
        mode_op="not_equals",
    ),
    attribute("filename=/etc/absent and skip_missing=False", filename="/etc/absent", skip_missing="false"),
    attribute("filename=/etc/dangling and skip_missing=False", filename="/etc/dangling", skip_missing="false"),
    attribute(
        "filename=/etc/absent and skip_missing=False", filename="/etc/absent", skip_missing=False, checksum=DIGEST
    ),
    # What a program opens: through links to directories, to files, and hard links.
    attribute(
        "filename=/bin/write and mode=0o2755 op=equals specified_mode=0o2755", filename="/bin/write", mode="2755"
    ),
    attribute(
        "filename=/etc/link.pem and mode=0o600 op=equals specified_mode=0o600", filename="/etc/link.pem", mode="600"
    ),
    attribute(
        f"filename=/usr/bin/wall and checksum={DIGEST} op=equals specified_checksum={DIGEST}",
        filename="/usr/bin/wall",
        checksum=DIGEST,
    ),
    attribute(checksum=OTHER, checksum_algorithm="sha256"),
    attribute(checksum=DIGEST, checksum_match="not_equals"),
    attribute(mode="0644"),
    attribute(mode="0600", mode_op="not_equals"),
    attribute(checksum=DIGEST, mode="0644"),
    attribute(checksum=OTHER, mode="0600"),
    attribute(filename="/etc/absent"),
    attribute(filename="/etc/absent", checksum=DIGEST, skip_missing=True),
    attribute(skip_missing=False),
    case(
        "suid_or_guid_set",
        IMAGE,
        {},
        f"{SET}/usr/bin/su. Mode: 0o104755",
        f"{SET}/usr/bin/sudo. Mode: 0o104711",
        f"{SET}/usr/bin/wall. Mode: 0o102755",
        f"{SET}/usr/bin/write. Mode: 0o102755",
        f"{SET}/var/mail. Mode: 0o42775",
    ),
    case(
        "suid_or_guid_set",
        IMAGE,
        {"ignore": "/usr/bin/su,/usr/bin/w.*,/var/mail"},
        f"{SET}/usr/bin/sudo. Mode: 0o104711",
    ),
    case("suid_or_guid_set", IMAGE, {"ignore": ["/usr/bin/.*", "/var/.*"]}),
    case("suid_or_guid_set", CLEAN, {}),
    case(
        "capabilities_set",
        CAPABLE,
        {},
        f"{CAPABLE_FOUND}/usr/bin/all: =ep",
        f"{CAPABLE_FOUND}/usr/bin/mtr: cap_net_raw=ep",
        f"{CAPABLE_FOUND}/usr/bin/ping: cap_net_raw=ep",
        f"{CAPABLE_FOUND}/usr/bin/web: cap_net_bind_service=eip cap_chown+ei [rootid=7]",
    ),
    case(
        "capabilities_set",
        CAPABLE,
        {"capability": "NET_BIND_SERVICE,all", "ignore": "/usr/bin/ping"},
        f"{CAPABLE_FOUND}/usr/bin/all: =ep",
        f"{CAPABLE_FOUND}/usr/bin/web: cap_net_bind_service=eip cap_chown+ei [rootid=7]",
    ),
    case("capabilities_set", CAPABLE, {"capability": "cap_chown", "ignore": "/usr/bin/web"}),
    case("capabilities_set", IMAGE, {}),
    case("world_writable", IMAGE, {}, f"{WRITABLE}/srv. Mode: 0o40777", f"{WRITABLE}/srv/data. Mode: 0o100666"),
    case("world_writable", IMAGE, {"ignore": "/srv"}, f"{WRITABLE}/srv/data. Mode: 0o100666"),
    case("world_writable", IMAGE, {"ignore": "/srv(/.*)?"}),
    case("world_writable", CLEAN, {}),
    case("unowned_executable", UNOWNED, {}, f"{UNOWNED_FOUND}/app/run", f"{UNOWNED_FOUND}/usr/local/bin/tool"),
    case("unowned_executable", UNOWNED, {"ignore": "/app/.*"}, f"{UNOWNED_FOUND}/usr/local/bin/tool"),
    case("unowned_executable", UNOWNED, {"ignore": "/app/.*,/usr/local/.*"}),
    case("unowned_executable", NONE_UNOWNED, {}),
)


@pytest.mark.parametrize(
    ("trigger", "params"),
    [
        ("content_regex_match", {}),
        ("name_match", {"regex": ".*"}),
        ("attribute_match", {"filename": "/etc/passwd", "mode": "644"}),
        ("suid_or_guid_set", {}),
        ("capabilities_set", {}),
        ("world_writable", {}),
        ("unowned_executable", {}),
    ],
)
def test_what_was_not_looked_for_is_no_silent_pass(trigger, params):
    found = verdict("files", trigger, evidence(), **params)
    assert (found.status, found.findings) == (Status.INDETERMINATE, ())
    assert "were not looked for in this image" in found.problems[0].message
    assert found.problems[0].subject == f"files.{trigger}"


def test_a_pattern_nobody_configured_is_a_gap():
    (said,) = gaps("files", "content_regex_match", CONTENTS, regex_name="OTHER")
    assert "matches of the pattern OTHER" in said


def test_digests_that_were_not_computed_are_a_gap():
    given = image_of({"etc/passwd": Path()})
    (said,) = gaps("files", "attribute_match", given, filename="/etc/passwd", checksum=DIGEST)
    assert "needs the digests of files" in said


def test_only_what_is_visible_counts():
    below = layer({"old": Path(0o4755), "kept": Path(0o4755), "changed": Path(0o4755)})
    above = layer({"changed": Path(0o755), "new": Path(0o2755)}, "old")
    given = evidence(tree=Tree([below, above]))
    assert messages("files", "suid_or_guid_set", given) == [
        f"{SET}/kept. Mode: 0o104755",
        f"{SET}/new. Mode: 0o102755",
    ]


def test_paths_written_through_a_link_are_where_they_land():
    below = layer({"lib": Path(0o777, "l", target="usr/lib"), "usr/lib": Path(0o755, "d")})
    given = evidence(tree=Tree([below, layer({"lib/tool": Path(0o4755)})]))
    assert messages("files", "suid_or_guid_set", given) == [f"{SET}/usr/lib/tool. Mode: 0o104755"]
    assert messages("files", "attribute_match", given, filename="/lib/tool", mode="4755") != []


def test_the_original_compares_a_link_itself():
    params = {"filename": "/etc/link.pem", "mode": "0777"}
    assert len(original("files", "attribute_match", IMAGE, **params)) == 1
    assert fired("files", "attribute_match", IMAGE, **params) == []
    params = {"filename": "/etc/link.pem", "checksum": OTHER, "checksum_match": "not_equals"}
    ((_, message),) = original("files", "attribute_match", IMAGE, **params)
    assert "checksum=DIRECTORY_OR_OTHER" in message


@pytest.mark.parametrize(
    ("trigger", "params", "said"),
    [
        ("attribute_match", {"filename": "/x", "mode": "0789"}, '"mode" must be octal digits'),
        ("attribute_match", {"filename": "/x", "mode": "rwx"}, '"mode" must be octal digits'),
        ("attribute_match", {"filename": "/x", "checksum": "abc"}, '"checksum" must be the 64'),
        ("attribute_match", {"filename": "/x", "checksum": "g" * 64}, '"checksum" must be the 64'),
        ("attribute_match", {"filename": "/x", "checksum_algorithm": "md5"}, "must be one of sha256"),
        ("attribute_match", {"mode": "644"}, 'needs the parameter "filename"'),
        ("name_match", {"regex": "["}, "unterminated character set"),
        ("content_regex_match", {"regex_name": "BAD=["}, "unterminated character set"),
        ("suid_or_guid_set", {"ignore": "/usr/bin/(su"}, "'/usr/bin/(su', which is not usable"),
        ("world_writable", {"ignore": "(?i)/x"}, "global flags not at the start"),
        ("unowned_executable", {"ignore": "*"}, "nothing to repeat"),
    ],
)
def test_unusable_parameters_are_refused(trigger, params, said):
    with pytest.raises(BundleError) as caught:
        bundle(rule_line("files", trigger, **params))
    assert said in str(caught.value)


def demand(trigger, **params):
    found = find_trigger(find_gate("files"), trigger)
    return found.demands(arguments(found.parameters, params))


def test_what_each_trigger_demands():
    assert demand("content_regex_match", regex_name=PASSWORD) == Demand(contents=(PASSWORD,))
    assert demand("content_regex_match", regex_name=b64encode(PASSWORD.encode()).decode()).contents == (PASSWORD,)
    assert demand("content_regex_match", regex_name="PASSWORD") == Demand()
    assert demand("content_regex_match", regex_name="(?i).*key *= .*") == Demand()
    assert demand("content_regex_match") == Demand()
    assert demand("name_match", regex=".*") == Demand(files=True)
    assert demand("attribute_match", filename="/x", mode="644") == Demand(files=True)
    assert demand("attribute_match", filename="/x", checksum=DIGEST) == Demand(files=True, digests=True)
    assert demand("suid_or_guid_set") == demand("world_writable") == Demand(files=True)
    assert demand("unowned_executable") == Demand(unowned=True)


def test_what_a_rule_looks_at():
    found = find_trigger(find_gate("files"), "name_match")
    assert found.looks_at(IMAGE, arguments(found.parameters, {"regex": "x"})) == "15 paths"
