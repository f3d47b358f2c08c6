"""Cases: images and what a bundle should say of them, run like unit tests.

Format::

    bundle: policy.yaml             # relative to this file, or the bundle itself; a case may have its own
    now: 2025-06-15T12:00:00Z       # the clock; without it the present, or that of the recorded evaluation
    cases:
      - name: a fixable vulnerability fails
        image: {distro: debian:12, packages: [openssl 3.0.1-1], vulnerabilities: [...]}    # synthetic.py
        expect:
          verdict: fail             # or pass, indeterminate
          findings: [{rule: fixable-high, trigger_id: "CVE-2025-1+openssl"}]
          not: [{gate: dockerfile}]
          exact: true               # no findings but those named
      - name: what was scanned last week
        report: report.json         # a recorded evaluation: a JSON report, or the number of one in the store
        expect: {verdict: pass}

A finding is named by any of gate, trigger, trigger_id, rule, policy, action, message, allowed_by and vulnerability,
each a wildcard (``*`` is any run of characters, ``regexp:`` begins an expression).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from anchorecli.errors import BundleError, LimitError
from anchorecli.model import Finding, Verdict
from anchorecli.policy.authoring.recorded import read_recorded
from anchorecli.policy.authoring.synthetic import Setting, synthetic
from anchorecli.policy.base import Evidence
from anchorecli.policy.bundle import bundle_of, load_bundle
from anchorecli.policy.demand import demand
from anchorecli.policy.evaluate import evaluate
from anchorecli.policy.language.document import Node, read_document
from anchorecli.policy.language.faults import Faults, quoted, unknown
from anchorecli.policy.language.fields import Fields, wildcard
from anchorecli.policy.language.include import read_text
from anchorecli.policy.patterns import wildcard_matches
from anchorecli.policy.times import utc
from anchorecli.policy.values import Bundle
from anchorecli.values import replace

_FINDING: dict[str, str] = {
    "gate": "gate",
    "trigger": "trigger",
    "trigger_id": "trigger_id",
    "rule": "rule_id",
    "policy": "policy_id",
    "message": "message",
    "allowed_by": "allowed_by",
    "vulnerability": "match_id",
}
"""What a case calls the fields of a finding."""

_STATUSES = ("pass", "fail", "indeterminate")
_ACTIONS = ("go", "warn", "stop")
_SOURCES = ("image", "report", "evaluation")


class WantedFinding(NamedTuple):
    """A finding as a case names it: field of ``Finding`` → wildcard; ``text`` is how it was written."""

    fields: tuple[tuple[str, str], ...]
    text: str

    def means(self, finding: Finding) -> bool:
        """Whether it is this finding. Raises: LimitError."""
        return all(wildcard_matches(pattern, _shown(finding, field)) for field, pattern in self.fields)


class Expected(NamedTuple):
    """What a case expects; empty where it does not say."""

    verdict: str = ""
    action: str = ""
    reason: str = ""
    mapping: str = ""
    findings: tuple[WantedFinding, ...] | None = None
    absent: tuple[WantedFinding, ...] = ()
    exact: bool = False


class Case(NamedTuple):
    """One case. ``evidence`` is None where a stored evaluation, ``evaluation``, is to be judged again. ``now`` is empty
    where the case does not say."""

    name: str
    path: str
    line: int
    bundle: Bundle
    expected: Expected
    now: str
    evidence: Evidence | None = None
    evaluation: str = ""


class Result(NamedTuple):
    """What became of a case: ``differences`` are lines for people, none where it holds."""

    case: Case
    differences: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether the verdict is what was expected."""
        return not self.differences


Judge = Callable[[str, Bundle, str], Verdict]
"""From the number of a stored evaluation, a bundle and the clock to a verdict."""


def read_cases(path: str, now: str) -> tuple[Case, ...]:
    """The cases of a file. Raises: BundleError with every fault and its line."""
    root = read_document(read_text(path), path)
    faults = Faults(path, hint="No case was run: mend the file.")
    reader = _CaseReader(path, faults, now)
    cases = reader.cases(root)
    faults.check()
    return cases


def run_case(case: Case, judge: Judge) -> Result:
    """Evaluate and compare."""
    verdict = evaluate(case.bundle, case.evidence) if case.evidence else judge(case.evaluation, case.bundle, case.now)
    return Result(case, tuple(_differences(case.expected, verdict)))


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────


class _CaseReader:
    def __init__(self, path: str, faults: Faults, now: str) -> None:
        self._path = path
        self._faults = faults
        self._now = now
        self._bundles: dict[str, Bundle] = {}

    def cases(self, root: Node) -> tuple[Case, ...]:
        fields = Fields(root, "the file of cases", ("bundle", "now", "cases"), self._faults)
        now = self._time(fields, "")
        shared = fields.node("bundle")
        cases = [self._case(node, shared, now) for node in fields.items("cases", required=True)]
        if fields.valid and fields.has("cases") and not cases:
            self._faults.add(fields.line_of("cases"), '"cases" holds no case')
        return tuple(case for case in cases if case is not None)

    def _case(self, node: Node, shared: Node | None, now: str) -> Case | None:
        fields = Fields(node, "the case", (*_SOURCES, "bundle", "now", "expect"), self._faults)
        if not fields.valid:
            return None
        name = fields.text("name", required=True)
        expected = self._expected(fields)
        given = [source for source in _SOURCES if fields.has(source)]
        bundle = self._bundle(fields.node("bundle") or shared, fields)
        if len(given) != 1:
            self._faults.add(fields.line, f"the case {quoted(name)} needs one of image, report and evaluation")
        if len(given) != 1 or bundle is None:
            return None
        now = self._time(fields, now)
        case = Case(name, self._path, fields.line, bundle, expected, now, evaluation=fields.text("evaluation"))
        return case if given == ["evaluation"] else case._replace(evidence=self._evidence(fields, bundle, now))

    def _evidence(self, fields: Fields, bundle: Bundle, now: str) -> Evidence | None:
        node = fields.node("image")
        if node is not None:
            return synthetic(node, Setting(now or self._now, demand(bundle), _signers(bundle)), self._faults)
        path = fields.text("report", required=True)
        try:
            recorded = read_recorded(self._beside(path), now) if path else None
            return recorded and replace(recorded, signers=_signers(bundle))
        except BundleError as error:
            self._faults.add(fields.line_of("report"), str(error))
            return None

    def _bundle(self, node: Node | None, fields: Fields) -> Bundle | None:
        if node is None:
            self._faults.add(fields.line, "the case has no bundle: name one here, or for all cases above them")
            return None
        name = self._beside(node.text) if node.kind != "mapping" else f"{self._path}:{node.line}"
        if name not in self._bundles:
            try:
                read = bundle_of((node,), self._path) if node.kind == "mapping" else load_bundle(name)
            except BundleError as error:
                # Told once, with the lines of its own file.
                self._faults.add(node.line, f"the bundle cannot be used: {error}")
                return None
            self._bundles[name] = read
        return self._bundles[name]

    def _beside(self, name: str) -> str:
        return str(Path(self._path).parent / name)

    def _time(self, fields: Fields, default: str) -> str:
        text = fields.text("now")
        if text and utc(text) is None:
            self._faults.add(fields.line_of("now"), f"now must be a time such as 2030-01-31, not {quoted(text)}")
        return text or default

    def _expected(self, case: Fields) -> Expected:
        node = case.node("expect", required=True)
        if node is None:
            return Expected()
        keys = ("verdict", "action", "reason", "mapping", "findings", "not", "exact")
        fields = Fields(node, '"expect"', keys, self._faults)
        if fields.valid and not any(map(fields.has, keys)):
            self._faults.add(fields.line, '"expect" expects nothing')
        exact = fields.text("exact").lower()
        if exact not in ("", "true", "false"):
            self._faults.add(fields.line_of("exact"), f'"exact" must be true or false, not {quoted(exact)}')
        found = tuple(self._finding(item) for item in fields.items("findings"))
        return Expected(
            verdict=self._word(fields, "verdict", _STATUSES),
            action=self._word(fields, "action", _ACTIONS),
            reason=fields.text("reason"),
            mapping=fields.text("mapping"),
            findings=found if fields.has("findings") else None,
            absent=tuple(self._finding(item) for item in fields.items("not")),
            exact=exact == "true",
        )

    def _finding(self, node: Node) -> WantedFinding:
        fields = Fields(node, "the finding", (*_FINDING, "action"), self._faults)
        wanted = [(field, wildcard(fields, name, self._faults)) for name, field in _FINDING.items() if fields.has(name)]
        action = self._word(fields, "action", _ACTIONS)
        if fields.valid and not wanted and not action:
            self._faults.add(fields.line, "the finding names nothing")
        wanted += [("action", action)] if action else []
        said = ", ".join(f"{name} {value.text}" for name, value in node.entries.items())
        return WantedFinding(tuple(wanted), said)

    def _word(self, fields: Fields, name: str, words: Sequence[str]) -> str:
        text = fields.text(name).lower()
        if text and text not in words:
            self._faults.add(fields.line_of(name), unknown(name, text, words))
        return text


# ── comparing ────────────────────────────────────────────────────────────────────────────────────────────────


def _signers(bundle: Bundle) -> tuple[str, ...]:
    return tuple(signer.id for signer in bundle.trust.signers)


def _differences(expected: Expected, verdict: Verdict) -> Iterator[str]:
    """A line for each thing that is not as expected: ``-`` what was, ``+`` what is, as in a diff."""
    for name, wanted, found in (
        ("verdict", expected.verdict, verdict.status.value),
        ("action", expected.action, verdict.action.label),
        ("reason", expected.reason, verdict.reason),
        ("mapping", expected.mapping, verdict.mapping_id),
    ):
        if wanted and wanted != found:
            yield f"- {name}: {wanted}"
            yield f"+ {name}: {found}"
            if name == "verdict":
                yield from _why(verdict)
    try:
        yield from _finding_differences(expected, verdict)
    except LimitError as error:
        yield f"! the findings could not be compared: {error}"


def _why(verdict: Verdict) -> Iterator[str]:
    """What made the verdict what it is, where that was not expected."""
    if verdict.status.value == "indeterminate":
        yield from (f"  because {one.subject}: {one.message}" for one in verdict.problems if one.incomplete)
    elif verdict.status.value == "fail":
        stops = [finding for finding in verdict.findings if finding.action.label == "stop"]
        yield from (f"  because {_line(finding)}" for finding in stops[:10])
        yield from [f"  and {len(stops) - 10} more"] if len(stops) > 10 else []
    else:
        yield f"  because {verdict.reason}"


def _finding_differences(expected: Expected, verdict: Verdict) -> Iterator[str]:
    left = list(verdict.findings)
    for wanted in expected.findings or ():
        found = next((finding for finding in left if wanted.means(finding)), None)
        if found is None:
            yield f"- finding: {wanted.text}"
        else:
            left.remove(found)
    for unwanted in expected.absent:
        for finding in verdict.findings:
            if unwanted.means(finding):
                yield f"+ finding: {_line(finding)}"
    if expected.exact or expected.findings == ():
        yield from (f"+ finding: {_line(finding)}" for finding in left)


def _line(finding: Finding) -> str:
    allowed = f", let through by {finding.allowed_by}" if finding.allowed_by else ""
    where = f"{finding.gate}.{finding.trigger}"
    return f"{finding.action.label} {finding.rule_id} {where} {finding.trigger_id}: {finding.message}{allowed}"


def _shown(finding: Finding, field: str) -> str:
    return finding.action.label if field == "action" else str(getattr(finding, field))
