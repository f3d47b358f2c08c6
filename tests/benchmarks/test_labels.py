"""The label method of `make quality-labels`: pairing, counting, the gate, and packages made of labels."""

from __future__ import annotations

import argparse
import json
from types import SimpleNamespace

import label_method
import label_subjects
import labels as command
import pytest
from label_method import Found, Label, Limits, Score, gate, pairs, score, until, year_of

IMAGE = "registry.example/app@sha256:" + "a" * 64
PACKAGE = ("libc6", "2.36-9")


def said(verdict="TP", *ids, package=PACKAGE, words=(), file="", image=IMAGE):
    return Label(file or f"{verdict}{ids}{package}", verdict, frozenset(ids or ("CVE-2021-1",)), image, package, words)


def found(*ids, package=PACKAGE, words=(), ecosystem="deb"):
    return Found(frozenset(ids or ("CVE-2021-1",)), package, ecosystem, frozenset(words))


def file_of(**more):
    content = {
        "ID": "u",
        "label": "TP",
        "vulnerability_id": "GHSA-1",
        "effective_cve": "CVE-2021-1",
        "image": {"exact": IMAGE},
        "package": {"name": "libc6", "version": "2.36-9"},
    }
    return content | more


def written(directory, *contents):
    for number, content in enumerate(contents):
        (directory / f"{number}.json").write_text(content if isinstance(content, str) else json.dumps(content))
    return directory


def test_files_are_read_and_what_is_no_label_is_named(tmp_path):
    odd = (file_of(label="maybe"), file_of(package=None), file_of(vulnerability_id="", effective_cve=""), "", "[]")
    labels, faults = label_method.read_labels(written(tmp_path, file_of(), *odd))
    assert [(each.verdict, sorted(each.ids), each.package) for each in labels] == [
        ("TP", ["CVE-2021-1", "GHSA-1"], PACKAGE)
    ]
    assert [each.partition(":")[0] for each in faults] == ["1.json", "2.json", "3.json", "4.json", "5.json"]


def test_an_absent_cve_is_nothing_that_two_could_share():
    one = label_method.label(file_of(effective_cve=None))
    other = label_method.label(file_of(effective_cve=None, vulnerability_id="GHSA-2", label="FP"))
    assert not one.ids & other.ids
    assert score([found("GHSA-2")], [one, other]).missed == (one,)


def test_ids_overlap_by_the_cve_behind_them():
    assert pairs(said("TP", "ELSA-2021-1", "CVE-2021-1"), found("CVE-2021-1", "GHSA-1"))
    assert not pairs(said("TP", "CVE-2021-2"), found("CVE-2021-1"))


@pytest.mark.parametrize(
    ("package", "exact", "fuzzy"),
    [
        (("libc6", "2.36-9"), True, True),
        (("libc6", "2.36"), False, True),
        (("libc6", "1:2.36-9"), False, True),
        (("libc6", "2.37"), False, False),
        (("libc-6", "2.36-9"), False, False),
    ],
)
def test_names_and_versions(package, exact, fuzzy):
    assert pairs(said(), found(package=package)) is exact
    assert pairs(said(), found(package=package), fuzzy=True) is fuzzy


def test_dashes_and_underscores_are_one_only_where_it_may_be_fuzzy():
    one, other = said(package=("a_b", "1")), found(package=("a-b", "1"))
    assert (pairs(one, other), pairs(one, other, fuzzy=True)) == (False, True)


def test_words_are_whole_values_and_all_of_them_count():
    path = "/app.war:WEB-INF/lib/x.jar"
    assert pairs(said(package=None, words=(path,)), found(package=("x", "1"), words=(path, "high")))
    assert not pairs(said(package=None, words=(path,)), found(words=(path + "x",)))
    assert not pairs(said(package=None, words=(path, "low")), found(words=(path, "high")))
    assert not pairs(said(package=("x", "2"), words=(path,)), found(package=("x", "1"), words=(path,)))


def test_right_wrong_unclear_and_indeterminate():
    one, two, three, four, five = (found(f"CVE-2021-{number}") for number in range(1, 6))
    labels = [
        said("TP", "CVE-2021-1"), said("TP", "CVE-2021-1", file="again"), said("FP", "CVE-2021-2"),
        said("??", "CVE-2021-3"), said("TP", "CVE-2021-4"), said("FP", "CVE-2021-4"),
    ]  # fmt: skip
    result = score([one, two, three, four, five], labels)
    assert result == Score((one,), (two,), (three,), (four, five), ())
    assert (result.total, result.precision, result.recall, result.indeterminate_percent) == (5, 0.5, 1.0, 40.0)


def test_what_is_missed_unless_another_label_says_the_same():
    errata = said("TP", "ELSA-2021-1", "CVE-2021-1")
    same, elsewhere = said("TP", "CVE-2021-1"), said("TP", "CVE-2021-1", package=("libc-bin", "2.36-9"))
    disputed, wrong = said("??", "CVE-2021-7"), said("FP", "CVE-2021-8")
    result = score([found("ELSA-2021-1")], [errata, same, elsewhere, disputed, wrong])
    assert result.missed == (elsewhere,)
    assert score([], [errata, same]).missed == (errata, same)


def test_f1_and_its_range():
    result = Score((found(),) * 8, (found(),), (), (found(),) * 2, (said(),))
    assert result.f1 == pytest.approx(8 / 9)
    assert result.f1_range == pytest.approx((8 / 10, 10 / 11))
    assert not result.practicable
    assert Score().f1 == 0
    assert (Score().precision, Score().recall) == (None, None)


@pytest.mark.parametrize(
    ("ids", "year"),
    [
        (["CVE-2021-3449"], 2021),
        (["ALAS-2022-1826"], 2022),
        (["ALASRUBY3.0-2023-003"], 2023),
        (["ALASSELINUX-NG-2023-001"], 2023),
        (["ALAS2-2023-1", "CVE-2021-1", "CVE-2022-1"], 2021),
        (["ELSA-2021-9591"], 2021),
        (["GHSA-2021-aaaa-bbbb", "DLA-3782-1"], None),
    ],
)
def test_years_of_ids(ids, year):
    assert year_of(ids) == year


def test_later_years_are_left_out_and_unknown_ones_stay():
    labels = [
        said("TP", "CVE-2021-1"),
        said("TP", "CVE-2022-1"),
        said("TP", "GHSA-1", "CVE-2023-1"),
        said("TP", "GHSA-2"),
    ]
    assert [sorted(each.ids)[0] for each in until(labels, 2021)] == ["CVE-2021-1", "GHSA-2"]
    assert until(labels, None) == labels


def test_the_gate():
    labels = [said("TP", f"CVE-2021-{number}") for number in range(4)] + [said("FP", "CVE-2021-9")]
    best = score([found(f"CVE-2021-{number}") for number in range(4)], labels)
    less = score([found(f"CVE-2021-{number}") for number in range(3)], labels)
    more = score([*best.right, found("CVE-2021-50")], labels)
    assert list(gate(best, less, Limits())) == []
    assert list(gate(less, best, Limits())) == ["F1 fell from 1.000 to 0.857", "1 missed, 0 before"]
    assert list(gate(less, best, Limits(f1_drop=0.15, new_missed=1))) == []
    assert list(gate(more, best, Limits())) == ["20 % of the findings are indeterminate"]
    assert list(gate(more, more, Limits())) == []  # the same findings: nothing to judge
    assert list(gate(score([], labels), best, Limits())) == ["nothing was found: that proves nothing"]


def test_parts_by_ecosystem():
    labels = [said("TP", "CVE-2021-1"), said("TP", "CVE-2021-2", package=("x", "1"))]
    result = score([found(), found("CVE-2021-3", ecosystem="npm")], labels)
    parts = label_method.by_ecosystem(result, {labels[1]: "npm"})
    assert {name: (len(part.right), len(part.indeterminate), len(part.missed)) for name, part in parts.items()} == {
        "deb": (1, 0, 0),
        "npm": (0, 1, 1),
    }


# ── the command ───────────────────────────────────────────────────────────────────────────────────────────


def kept(path, *findings):
    entries = [{"ids": [each], "package": PACKAGE, "ecosystem": "deb", "words": []} for each in findings]
    path.write_text(json.dumps({IMAGE: entries}))
    return str(path)


def run(monkeypatch, *arguments):
    monkeypatch.setattr("sys.argv", ["labels.py", *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        command.main()
    return end.value.code


def test_kept_findings_are_judged_and_held_against_others(tmp_path, monkeypatch, capsys):
    directory = tmp_path / "labels"
    directory.mkdir()
    written(directory, file_of(), file_of(vulnerability_id="CVE-2021-2", effective_cve="CVE-2021-2"))
    worse = kept(tmp_path / "worse", "CVE-2021-1")
    better = kept(tmp_path / "better", "CVE-2021-1", "CVE-2021-2")
    table = tmp_path / "table.json"
    assert run(monkeypatch, directory, "--results", worse, "--json", table) == 0
    assert json.loads(table.read_text())["all"]["recall"] == 0.5
    assert run(monkeypatch, directory, "--results", worse, "--reference", better) == 1
    assert f"shut: {IMAGE}: 1 missed, 0 before" in capsys.readouterr().out
    assert run(monkeypatch, directory, "--results", better, "--reference", worse) == 0


def test_findings_of_later_years_stay_where_a_label_names_them():
    both, later = found("GHSA-1", "CVE-2024-1"), found("CVE-2024-2")
    assert command.timely([found(), both, later], [said("TP", "GHSA-1")], 2021) == [found(), both]
    assert command.timely([found(), both, later], [], None) == [found(), both, later]


def test_labels_of_a_declared_parent_count():
    parent = IMAGE.replace("app", "base")
    labels = {IMAGE: [], parent: [said(image=parent)]}
    options = argparse.Namespace(parent=[], year=2021, fuzzy=False)
    assert len(command.judged(labels, {IMAGE: [found()]}, options)[IMAGE].indeterminate) == 1
    options.parent = ["/app=/base"]
    assert command.judged(labels, {IMAGE: [found()]}, options)[IMAGE].right == (found(),)


def test_without_labels_or_a_store_it_says_what_is_needed(tmp_path, monkeypatch):
    assert "vulnerability-match-labels" in run(monkeypatch, tmp_path)
    assert "feeds sync" in run(monkeypatch, written(tmp_path, file_of()))


@pytest.mark.parametrize(
    ("package", "name"),
    [
        ({"type": "maven", "name": "a.b:c", "version": "1"}, ("c", "1")),
        ({"type": "golang", "name": "stdlib", "version": "1.16.9"}, ("stdlib", "go1.16.9")),
        ({"type": "golang", "name": "x.y/z", "version": "0.3.3"}, ("x.y/z", "v0.3.3")),
        ({"type": "rpm", "name": "vim", "version": "0:8.0-1.el8"}, ("vim", "8.0-1.el8")),
        ({"type": "rpm", "name": "vim", "version": "2:8.0-1.el8"}, ("vim", "2:8.0-1.el8")),
    ],
)
def test_packages_are_called_as_the_labels_call_them(package, name):
    assert command.called(package) == name


# ── packages made of labels ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("image", "versions", "told"),
    [
        ("docker.io/ubuntu:12.04", [], ("ubuntu", "12.04")),
        ("docker.io/anchore/test_images:vulnerabilities-alpine-3.11-d5be50d", [], ("alpine", "3.11")),
        ("docker.io/anchore/test_images:appstreams-nodejs-18-rhel-9-1b0b1b4", [], ("rhel", "9")),
        ("registry.access.redhat.com/ubi8", [], ("rhel", "8")),
        ("registry.suse.com/suse/sles12sp4:26.380", [], ("sles", "12.4")),
        ("docker.io/x:1", ["1-2+deb11u3", "1-3+deb11u1", "1-1.el8"], ("debian", "11")),
        ("docker.io/x:1", ["1.0"], None),
    ],
)
def test_the_distribution(image, versions, told):
    assert label_subjects.distribution(image, versions) == told


def test_types_and_sources_are_guessed_and_what_cannot_be_is_left():
    known = SimpleNamespace(names={"debian:12": {"systemd"}}, language=lambda name, ids: None)
    known.language = lambda name, ids: ("maven", "com.google.guava:guava") if name == "guava" else None
    names = [("libc6", "2.36-9"), ("apt", "2.6.1"), ("guava", "30.1-jre"), ("php", "1.0.0"), ("systemd-sysv", "252-1")]
    labels = [said(package=each) for each in names]
    made = label_subjects.packages(labels, ("debian", "12"), known, {"libc6": "glibc", "apt": "apt"})
    assert {each.package[0]: (each.type, each.name, each.source) for each in made} == {
        "libc6": ("deb", "libc6", "glibc"),
        "apt": ("deb", "apt", "apt"),
        "guava": ("maven", "com.google.guava:guava", ""),
        "systemd-sysv": ("deb", "systemd-sysv", "systemd"),
    }


def test_sources_by_other_numbers_and_by_what_modules_are_for(tmp_path):
    (tmp_path / "index").write_text("libssl3\topenssl\nlibc6\tglibc\n")
    index = label_subjects.read_sources(tmp_path / "index")
    assert label_subjects.source("libssl1.0.0", "1.0.1k-3", index) == "openssl"
    said = {"rpm", "python-urllib3", "libxml2"}
    names = ("python3-rpm", "python3-urllib3", "python3-libxml2", "rpm-build-libs", "unheard")
    assert [label_subjects.source(each, "1-1", {}, said) for each in names] == [
        "rpm", "python-urllib3", "libxml2", "rpm", "unheard",
    ]  # fmt: skip


def test_old_builds_of_glibc_are_of_another_source():
    index = {"libc6": "glibc"}
    sources = [label_subjects.source("libc6", each, index) for each in ("2.15-0ubuntu10", "2.19-18+deb8u1", "2.36-9")]
    assert sources == ["eglibc", "glibc", "glibc"]


@pytest.mark.parametrize(
    ("made", "version", "distro", "purl"),
    [
        (
            label_subjects.Made(("openssl-libs", ""), "openssl-libs", "rpm", "openssl"), "1:3.0.7-25.el9", "rhel",
            "pkg:rpm/rhel/openssl-libs@3.0.7-25.el9?arch=x86_64&epoch=1&upstream=openssl-3.0.7-25.el9.src.rpm",
        ),
        (
            label_subjects.Made(("libc6", ""), "libc6", "deb", "glibc"), "2.36-9+b1", "debian",
            "pkg:deb/debian/libc6@2.36-9%2Bb1?arch=amd64&upstream=glibc%402.36-9",
        ),
        (label_subjects.Made(("g", ""), "a.b:g", "maven"), "1.0", "", "pkg:maven/a.b/g@1.0"),
    ],
)  # fmt: skip
def test_package_urls(made, version, distro, purl):
    assert label_subjects.purl(made, version, distro) == purl
