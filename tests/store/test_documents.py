from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest

from anchorecli.errors import StoreError
from anchorecli.store import Store, document_digest, packed_document
from tests.store.values import LATER, evaluation, image, put

PARTS: dict[str, bytes | str] = {"analysis": b"a" * 5000, "report": b"r"}


def documents(store: Store) -> int:
    with store._session.read() as db:
        return int(db.execute("SELECT count(*) FROM document").fetchone()[0])


def test_parts_come_back_by_name(store: Store) -> None:
    number = store.put_evaluation(evaluation(), PARTS)
    assert store.evaluation_parts(number) == PARTS
    assert store.evaluation_parts(number + 1) == {}


def test_what_is_written_once_is_not_written_again(store: Store) -> None:
    first = store.put_evaluation(evaluation(), PARTS)
    second = store.put_evaluation(evaluation(created_at=LATER), PARTS | {"report": b"other"})
    assert documents(store) == 3
    assert store.evaluation_parts(first)["analysis"] == store.evaluation_parts(second)["analysis"]


def test_a_part_may_be_named_by_its_digest(store: Store) -> None:
    made = put(store, "debian")
    digest = document_digest(b"analysis of debian")
    number = store.put_evaluation(evaluation(), {"analysis": digest})
    assert store.evaluation_parts(number) == {"analysis": b"analysis of debian"}
    assert store.latest_analysis(made.image_id) == b"analysis of debian"
    with pytest.raises(LookupError):
        store.put_evaluation(evaluation(), {"other": b"x", "analysis": document_digest(b"never written")})
    assert len(store.evaluations()) == 1
    assert documents(store) == 1


def test_a_document_may_come_in_pieces(store: Store) -> None:
    document = packed_document(iter([b"analysis ", b"", b"of debian"]))
    assert document.digest == document_digest(b"analysis of debian")
    put(store, "debian")
    number = store.put_evaluation(evaluation(), {"analysis": document, "report": packed_document([])})
    assert store.evaluation_parts(number) == {"analysis": b"analysis of debian", "report": b""}
    assert documents(store) == 2


def test_the_latest_analysis_whoever_made_it(store: Store) -> None:
    made = put(store, "debian")
    store.put_image(made, "set2", b"newer", distro="", packages=1, size=1, now=LATER)
    assert store.latest_analysis(made.image_id) == b"newer"
    assert store.get_analysis(made.image_id, "set1") == b"analysis of debian"
    assert store.latest_analysis("sha256:none") is None


def test_what_nothing_refers_to_goes_with_a_clean_up_and_no_sooner(store: Store) -> None:
    made = put(store, "debian")
    number = store.put_evaluation(
        evaluation(made.image_id, created_at=LATER),
        {"analysis": document_digest(b"analysis of debian"), "report": b"r"},
    )
    gone = store.put_evaluation(evaluation(bundle_digest="sha256:9"), {"report": b"of an old one", "bundle": b"{}"})
    store.remove_image(made.image_id)
    assert documents(store) == 4
    store.gc(older_than_days=1, keep=None, now=LATER)
    assert store.evaluation(gone) is None
    assert store.evaluation_parts(number) == {"analysis": b"analysis of debian", "report": b"r"}
    assert documents(store) == 2
    assert store.bundles() == {}


def test_bundles_are_found_by_the_beginning_of_their_digest(store: Store) -> None:
    for digest, body in (("sha256:aa11", b"one"), ("sha256:aa22", b"two"), ("sha256:aa22", b"two, commented")):
        store.put_evaluation(evaluation(bundle_digest=digest), {"bundle": body})
    assert store.bundles("sha256:aa2") == {"sha256:aa22": b"two"}
    assert store.bundles("aa11") == {"sha256:aa11": b"one"}
    assert list(store.bundles("aa")) == ["sha256:aa11", "sha256:aa22"]
    assert store.bundles("\udcff") == {}


def test_a_damaged_document_is_an_error_and_no_answer(store: Store) -> None:
    number = store.put_evaluation(evaluation(), PARTS)
    db = sqlite3.connect(store.path)
    db.execute("UPDATE document SET body = substr(body, 1, length(body) - 3)")
    db.commit()
    db.close()
    with pytest.raises(StoreError, match=r"document sha256:.* is damaged"):
        store.evaluation_parts(number)


def test_severities_are_listed(store: Store) -> None:
    made = evaluation(by_severity={"high": 2}, vulnerabilities=1)
    number = store.put_evaluation(made)
    assert store.evaluations() == (replace(made, id=number, report=b""),)
    assert store.evaluation(number) == replace(made, id=number)


def test_evaluations_are_found_by_name_end_digest_or_id(store: Store) -> None:
    digest = "sha256:" + "ab" * 32
    one = store.put_evaluation(evaluation("sha256:" + "cd" * 32, "docker.io/debian:12", digest=digest))
    two = store.put_evaluation(evaluation("sha256:" + "ef" * 32, "host.example/debian:12"))

    def found(text: str) -> list[int]:
        return [each.id for each in store.find_evaluations(text)]

    assert found("docker.io/debian:12") == [one]
    assert found("debian:12") == [two, one]
    assert found("docker.io/debian@" + digest) == found(digest[:15]) == found("ABABAB") == found("cdcdcd") == [one]
    assert found("ab") == found("") == found("bian:12") == found("%") == []


def test_an_image_without_its_analysis_has_none(store: Store) -> None:
    made = image("debian")
    assert store.latest_analysis(made.image_id) is None
