"""Events as HTTP requests to a real server on loopback, and what happens when it does not take them."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from anchorecli.config import Secret, Webhook
from anchorecli.errors import AnchoreError
from anchorecli.model import Event, Problem
from anchorecli.net import Fetcher, NetLimits
from anchorecli.notify import CHANNELS, notify
from anchorecli.notify.line import LineChannel
from anchorecli.notify.webhook import PATIENCE, WebhookChannel, payload, signature
from tests.notify.events import event, settings


@dataclass
class Receiver:
    """A webhook's server. ``answers`` are the statuses it gives in turn, then 200."""

    port: int = 0
    answers: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    requests: list[tuple[str, Mapping[str, str], bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/s3cret-path"

    @property
    def documents(self) -> list[Any]:
        return [json.loads(body) for _, _, body in self.requests]


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    state = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            state.requests.append((self.path, dict(self.headers), body))
            self.send_response(state.answers.pop(0) if state.answers else 200)
            for name, value in state.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


def channel(sleeps: list[float] | None = None, **more: Any) -> WebhookChannel:
    """A channel that really sends but does not really wait."""
    waited = sleeps if sleeps is not None else []
    return WebhookChannel(
        poster=lambda limits: Fetcher(limits, error=AnchoreError, sleep=waited.append), **{"env": {}, **more}
    )


def hook(url: str, **more: Any) -> Webhook:
    return Webhook(Secret("text", url), **more)


# ── what is sent ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_event_is_one_json_document(receiver: Receiver) -> None:
    sent = event("vuln_update", data={"added": ["CVE-1"], "digest": None, "count": 1})
    assert channel().send([sent], settings(hook(receiver.url))) == ()

    ((path, headers, _),) = receiver.requests
    assert path == "/s3cret-path"
    assert headers["Content-Type"].startswith("application/json")
    assert headers["X-Anchore-Event"] == "vuln_update"
    assert "X-Anchore-Signature-256" not in headers
    assert receiver.documents == [
        {
            "schema": "anchore.event/1",
            "kind": "vuln_update",
            "image": "docker.io/debian:12",
            "created_at": "2026-01-31T12:00:00Z",
            "message": "docker.io/debian:12 is now sha256:aa",
            "data": {"added": ["CVE-1"], "digest": None, "count": 1},
        }
    ]


def test_the_signature_is_that_of_the_bytes_on_the_wire(receiver: Receiver) -> None:
    sent = event(message="caf\u00e9 \udcff <&>", data={"path": "\udcff", "nested": {"\u00e9": ("a", 1.5, True)}})
    channel().send([sent], settings(hook(receiver.url, secret=Secret("text", "k\u00e9y"))))

    ((_, headers, body),) = receiver.requests
    expected = hmac.new("k\u00e9y".encode(), body, hashlib.sha256).hexdigest()
    assert headers["X-Anchore-Signature-256"] == f"sha256={expected}"
    assert json.loads(body)["data"] == {"path": "\\udcff", "nested": {"\u00e9": ["a", 1.5, True]}}


def test_signature_of_a_known_body() -> None:
    # RFC 4231, test case 2.
    assert signature("Jefe", b"what do ya want for nothing?") == (
        "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )


def test_a_repetition_has_the_same_delivery_id(receiver: Receiver) -> None:
    receiver.answers = [500]
    channel().send([event(), event(message="other")], settings(hook(receiver.url)))
    first, again, other = (headers["X-Anchore-Delivery"] for _, headers, _ in receiver.requests)
    assert first == again != other


def test_headers_come_from_environment_and_files(receiver: Receiver, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("Bearer abc\n")
    headers = {"Authorization": Secret("file", str(tmp_path / "token")), "X-Key": Secret("env", "KEY")}
    problems = channel(env={"KEY": "k"}).send([event()], settings(hook(receiver.url, headers=headers)))
    assert not problems
    ((_, sent, _),) = receiver.requests
    assert (sent["Authorization"], sent["X-Key"]) == ("Bearer abc", "k")


def test_a_webhook_gets_the_kinds_it_wants(receiver: Receiver) -> None:
    events = [event("tag_update"), event("vuln_update"), event("policy_eval")]
    channel().send(events, settings(hook(receiver.url, events=("vuln_update", "policy_eval")), hook(receiver.url)))
    kinds = [document["kind"] for document in receiver.documents]
    assert kinds == ["vuln_update", "policy_eval", "tag_update", "vuln_update", "policy_eval"]


def test_nothing_is_sent_where_nobody_listens() -> None:
    def no_poster(limits: NetLimits) -> Any:
        raise AssertionError

    assert WebhookChannel(poster=no_poster).send([event()], settings()) == ()
    assert WebhookChannel(poster=no_poster).send([event()], settings(hook("http://h", events=()))) == ()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object, b"x", {1, 2}])
def test_what_json_cannot_hold_becomes_text(value: object) -> None:
    document = payload(event(data={"x": value}))
    assert json.loads(json.dumps(document, allow_nan=False))["data"]["x"] == str(value)


# ── what is not taken ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_server_that_recovers_costs_no_event(receiver: Receiver) -> None:
    receiver.answers = [503, 500]
    sleeps: list[float] = []
    assert channel(sleeps).send([event()], settings(hook(receiver.url))) == ()
    assert len(receiver.requests) == 3
    assert sleeps == sorted(sleeps)
    assert len(sleeps) == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 422])
def test_a_refusal_is_not_repeated_and_the_next_event_is_sent(receiver: Receiver, status: int) -> None:
    receiver.answers = [status]
    sleeps: list[float] = []
    (problem,) = channel(sleeps).send([event(), event("policy_eval")], settings(hook(receiver.url)))

    assert not sleeps
    assert [document["kind"] for document in receiver.documents] == ["tag_update", "policy_eval"]
    assert f"answers {status}" in problem.message
    assert "tag_update of docker.io/debian:12" in problem.message
    assert problem.subject == f"webhook http://127.0.0.1:{receiver.port}/…"
    assert (problem.stage, problem.incomplete) == ("notify", False)


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.answers = [302]
    receiver.headers = {"Location": "http://127.0.0.1:1/other-s3cret"}
    (problem,) = channel().send([event()], settings(hook(receiver.url)))
    assert len(receiver.requests) == 1
    assert "302" in problem.message
    assert "s3cret" not in str(problem)


def test_after_one_failure_in_vain_the_next_event_is_tried_once(receiver: Receiver) -> None:
    receiver.answers = [500] * 6
    problems = channel().send([event(), event("vuln_update"), event("policy_eval")], settings(hook(receiver.url)))
    kinds = [document["kind"] for document in receiver.documents]
    attempts = NetLimits().attempts
    assert kinds == ["tag_update"] * attempts + ["vuln_update", "policy_eval"]
    assert len(problems) == 3


def test_a_server_that_is_not_there(receiver: Receiver) -> None:
    nobody = hook("http://127.0.0.1:1/s3cret-path")
    problems = channel().send([event()], settings(nobody, hook(receiver.url)))
    (problem,) = problems
    assert "s3cret" not in str(problem)
    assert "refused" in problem.message
    assert len(receiver.requests) == 1


def test_a_dead_server_does_not_hold_a_round_for_hours() -> None:
    class Dead:
        def __init__(self) -> None:
            self.now = 0.0
            self.calls = 0

        def post_json(self, url: str, body: object, *, headers: Mapping[str, str] | None = None) -> int:
            self.calls += 1
            self.now += PATIENCE / 2 + 1
            raise AnchoreError(f"{url}: no answer in time")

    dead = Dead()
    events = [event(message=str(number)) for number in range(50)]
    problems = WebhookChannel(poster=lambda limits: dead, clock=lambda: dead.now).send(
        events, settings(hook("http://h/x"))
    )
    assert dead.calls == 2
    assert len(problems) == 50
    assert "failed for too long" in problems[-1].message


@pytest.mark.parametrize(
    ("webhook", "message"),
    [
        (Webhook(Secret("env", "HOOK")), "$HOOK is not set"),
        (hook("http://h", secret=Secret("env", "KEY")), "$KEY is not set"),
        (hook("http://h", headers={"A": Secret("file", "/nowhere/at/all")}), "/nowhere/at/all cannot be read"),
        (hook("http://h", headers={"A": Secret("text", "s3cret\r\nB: c")}), "header 'A' cannot be sent"),
        (hook("http://h", headers={"A": Secret("text", "s3cret \u20ac")}), "header 'A' cannot be sent"),
        (hook("http://h", headers={"A B": Secret("text", "x")}), "header 'A B' cannot be sent"),
        (hook("gopher://h/s3cret"), "an http or https URL is wanted"),
    ],
)
def test_a_webhook_that_cannot_be_used_is_a_problem_without_its_secrets(
    receiver: Receiver, webhook: Webhook, message: str
) -> None:
    problems = channel().send([event(), event()], settings(webhook, hook(receiver.url)))
    (problem,) = problems
    assert message in problem.message
    assert "2 events were not sent" in problem.message
    assert "s3cret" not in str(problem)
    assert len(receiver.requests) == 2


# ── all channels ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_one_channels_fault_does_not_silence_the_others(receiver: Receiver, capsys: pytest.CaptureFixture[str]) -> None:
    class Broken:
        name = "broken"

        def send(self, events: object, settings: object) -> tuple[Problem, ...]:
            raise RuntimeError("s3cret")

    problems = notify([event()], settings(hook(receiver.url)), [Broken(), LineChannel(), channel()])

    assert [problem.subject for problem in problems] == ["broken"]
    assert "RuntimeError" in problems[0].message
    assert "s3cret" not in str(problems[0])
    assert capsys.readouterr().out.startswith("2026-01-31T12:00:00Z tag_update")
    assert len(receiver.requests) == 1


def test_no_events_no_channels() -> None:
    class Never:
        name = "never"

        def send(self, events: object, settings: object) -> tuple[Problem, ...]:
            raise AssertionError

    none: list[Event] = []
    assert notify(none, settings(), [Never()]) == ()


def test_the_registered_channels_have_names_of_their_own() -> None:
    names = [each.name for each in CHANNELS]
    assert sorted(names) == ["line", "webhook"]
