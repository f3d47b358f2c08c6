"""Why a vulnerability was, or was not, reported for an image: the chain from the feeds to the verdict, to the first no.

candidate → name → namespace → version → range → fix → vex → rule → exception. What decides is matching and policy
themselves, asked one statement at a time, so that an explanation cannot disagree with a scan.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from anchorecli.feeds.ecosystems import NOTES
from anchorecli.matching.coverage import plan
from anchorecli.matching.decide import Hit, Subject, judge, why
from anchorecli.matching.ecosystems import Query
from anchorecli.model import Action, Advisory, Candidate, FeedState, Finding, Match, Package, Range, unpack_ranges
from anchorecli.scan.decision import Knowledge
from anchorecli.scan.past import Inputs, decide_again
from anchorecli.scan.values import Decision
from anchorecli.store import Store

YES, NO, NOTE = "yes", "no", "note"
_EACH = 4
"""So many feeds are told with their dates."""
_ORDER = ("candidate", "name", "namespace", "version", "range", "fix", "vex", "rule", "exception")


class Step(NamedTuple):
    """One link of the chain. ``answer`` is yes (go on), no (here it ends) or note (it says something, and goes on)."""

    name: str
    answer: str
    detail: str


class Chain(NamedTuple):
    """The chain of one installed package, from ``version`` on."""

    package: Package
    steps: tuple[Step, ...]


class Explanation(NamedTuple):
    """The answer, the steps that all packages share, and a chain for each package that is asked about."""

    vulnerability: str
    answer: str
    steps: tuple[Step, ...]
    chains: tuple[Chain, ...]
    decision: Decision

    @property
    def stopped_at(self) -> str:
        """The step of the first no; empty where some chain has none."""
        if not self.chains:
            return next((step.name for step in self.steps if step.answer == NO), "")
        ends = [next((step.name for step in chain.steps if step.answer == NO), "") for chain in self.chains]
        return "" if "" in ends else ends[0]


class _Said(NamedTuple):
    """A statement about a package of the image."""

    candidate: Candidate
    advisory: Advisory
    query: Query
    packages: Sequence[Package]


def explain(store: Store, inputs: Inputs, vulnerability: str, package: str = "") -> Explanation:
    """Why ``vulnerability`` (an id or alias) is or is not reported; of one package only, where it is named."""
    with store.snapshot():
        return _Inquiry(store, inputs, vulnerability, package).answer()


class _Inquiry:
    """One question; steps are collected until one says no."""

    def __init__(self, store: Store, inputs: Inputs, vulnerability: str, package: str) -> None:
        self._store = store
        self._inputs = inputs
        self._asked = vulnerability
        self._package = package
        self._knowledge = Knowledge(store, inputs.analysis, inputs.feeds)
        analysis = inputs.analysis
        known = self._knowledge.covered | self._knowledge.embedded
        self._plan = plan(analysis.packages, analysis.distro, known)
        self._steps: list[Step] = []

    def answer(self) -> Explanation:
        chains: tuple[Chain, ...] = ()
        decision = decide_again(self._store, self._inputs)
        said = self._said()
        if said:
            chains = tuple(self._chains(said, decision))
        return Explanation(self._asked, self._sum(chains), tuple(self._steps), chains, decision)

    def _sum(self, chains: Sequence[Chain]) -> str:
        if not chains:
            return f"not reported: {self._steps[-1].detail}"
        reported = [chain for chain in chains if all(step.answer != NO for step in chain.steps)]
        if reported:
            return f"reported for {_listed(each.package.name for each in reported)}"
        # The chain that goes furthest says most.
        last = max((chain.steps[-1] for chain in chains), key=lambda step: _ORDER.index(step.name))
        return f"{'found, but' if last.name in ('rule', 'exception') else 'not reported:'} {last.detail}"

    def _step(self, name: str, answer: str, detail: str) -> None:
        self._steps.append(Step(name, answer, detail))

    # ── from the feeds to the package ───────────────────────────────────────────────────────────────────────

    def _said(self) -> list[_Said]:
        """What the feeds say of it for packages of the image; empty after a step that said no."""
        records = self._records()
        if not records:
            return []
        names = {each.package for record in records for each in record.affected}
        queries = [(query, packages) for group, packages in self._plan.groups.items() for query in group]
        if not self._is_installed(queries, records, names):
            return []
        wanted = [(query, packages) for query, packages in queries if query.name in names and self._is_meant(packages)]
        keys = {(each.ecosystem, each.package) for record in records for each in record.affected}
        fitting = [(query, packages) for query, packages in wanted if (query.ecosystem, query.name) in keys]
        if not fitting:
            theirs = _listed(sorted({each for each, name in keys if name in {query.name for query, _ in wanted}}))
            ours = _listed(sorted({query.ecosystem for query, _ in wanted}))
            self._step("namespace", NO, f"the feeds speak of it for {theirs}; the image's packages are of {ours}")
            return []
        self._step("namespace", YES, _listed(sorted({query.ecosystem for query, _ in fitting})))
        return self._candidates(fitting, {record.id for record in records})

    def _records(self) -> list[Advisory]:
        """What any feed says of it at all."""
        known = self._store.find_advisories(self._asked, self._inputs.feeds.revision).values()
        # What is known beside advisories (EPSS, known exploitation) says of no package that it is affected.
        found = [each for each in known if NOTES.isdisjoint(one.ecosystem for one in each.affected)]
        found += self._embedded()
        if not found:
            states = (*self._knowledge.states(), *self._knowledge.asked())
            self._step("candidate", NO, f"no feed knows {self._asked}: {_who(states)}")
            return []
        holding = [each for each in found if not each.withdrawn]
        listed = _listed(f"{each.id} of {each.feed}" for each in holding or found)
        if not holding:
            self._step("candidate", NO, f"withdrawn: {listed} at {found[0].withdrawn}")
            return []
        self._step("candidate", YES, listed)
        return holding

    def _embedded(self) -> list[Advisory]:
        """Records of the embedded starter feed, which is asked for namespaces that no feed covers."""
        if not self._knowledge.embedded:
            return []
        from anchorecli.feeds.starter import Starter

        name = self._asked.lower()
        return [
            each
            for state, records in Starter().feeds().items()
            if not self._knowledge.embedded.isdisjoint(state.ecosystems)
            for each in records
            if name in {each.id.lower(), *(alias.lower() for alias in each.aliases)}
        ]

    def _is_installed(
        self, queries: Sequence[tuple[Query, list[Package]]], records: Sequence[Advisory], names: set[str]
    ) -> bool:
        """The step of the name: whether a package is there under a name that the feeds know it by."""
        meant = [(query, packages) for query, packages in queries if self._is_meant(packages)]
        if self._package and not meant:
            there = [each for each in self._inputs.analysis.packages if self._package in (each.name, each.source)]
            what = "is not installed" if not there else f"is a {there[0].type} package that no feed is asked about"
            self._step("name", NO, f"{self._package} {what}")
            return False
        found = sorted({query.name for query, _ in meant if query.name in names})
        if found:
            through: dict[str, list[Package]] = {}
            for query, packages in meant:
                through.setdefault(query.name, []).extend(packages)
            self._step("name", YES, _listed(_called(name, through[name]) for name in found))
            return True
        theirs = _listed(sorted({f"{each.package} ({each.ecosystem})" for one in records for each in one.affected}))
        asked = _listed(sorted({query.name for query, _ in meant})) if self._package else ""
        if not theirs:
            self._step("name", NO, "the feeds name no package for it")
        elif asked:
            self._step("name", NO, f"{self._package} is asked about as {asked}; the feeds know it for {theirs}")
        else:
            self._step("name", NO, f"no such package is installed; the feeds know it for {theirs}")
        return False

    def _is_meant(self, packages: Iterable[Package]) -> bool:
        return not self._package or any(self._package in (each.name, each.source) for each in packages)

    def _candidates(self, fitting: Sequence[tuple[Query, list[Package]]], ids: set[str]) -> list[_Said]:
        keys = list(dict.fromkeys((query.ecosystem, query.name) for query, _ in fitting))
        candidates = self._knowledge.lookup(keys)
        advisories = self._knowledge.details(sorted({each.row for each in candidates}))
        said = []
        for query, packages in fitting:
            for each in candidates:
                advisory = advisories.get(each.row)
                if (each.ecosystem, each.package) == (query.ecosystem, query.name) and advisory and advisory.id in ids:
                    meant = [one for one in packages if self._is_meant((one,))]
                    said.append(_Said(each, advisory, query, meant))
        return said

    # ── from the package to the verdict ─────────────────────────────────────────────────────────────────────

    def _chains(self, said: Sequence[_Said], decision: Decision) -> Iterable[Chain]:
        packages = {id(package): package for each in said for package in each.packages}
        for package in packages.values():
            about = [each for each in said if any(one is package for one in each.packages)]
            yield Chain(package, tuple(self._chain(package, about, decision)))

    def _chain(self, package: Package, said: Sequence[_Said], decision: Decision) -> list[Step]:
        judged = [(each, judge(each.candidate, Subject(each.query))) for each in said]
        holding = [(each, hit) for each, hit in judged if hit is not None]
        affecting = [(each, hit) for each, hit in holding if each.candidate.statement != "not-affected"]
        steps = [_version(package, [each for each, _ in judged], affecting)]
        if not affecting:
            steps.append(Step("range", NO, "; ".join(_refusal(each, hit) for each, hit in judged)))
            return steps
        steps += [Step("range", YES, _told(each, why(hit, Subject(each.query)))) for each, hit in affecting]
        match = self._match(package, decision)
        if match is None:
            steps.append(Step("range", NO, "matching made nothing of it: another record of the feeds decides"))
            return steps
        if match.vex and match.suppressed == match.vex:
            return [*steps, Step("vex", NO, match.vex)]
        if match.suppressed:
            steps.append(Step("range", NO, f"matched, and settled by a better source: {match.suppressed}"))
            return steps
        fixed = f"fixed in {', '.join(match.fixed_in)}" if match.fixed_in else match.fix_state.value
        called = f"{match.severity.label}, {fixed}"
        steps.append(Step("fix", NOTE, f"{called}; reported as {match.id}" if match.id != self._asked else called))
        steps.append(Step("vex", NOTE, match.vex or _no_vex(decision)))
        return steps + self._policy(package, match, decision)

    def _match(self, package: Package, decision: Decision) -> Match | None:
        name = self._asked.lower()
        return next(
            (
                each
                for each in decision.report.matches
                if each.package is package and name in {one.lower() for one in (each.id, each.advisory, *each.aliases)}
            ),
            None,
        )

    def _policy(self, package: Package, match: Match, decision: Decision) -> list[Step]:
        verdict = decision.report.verdict
        findings = [
            each
            for each in (verdict.findings if verdict else ())
            if each.match_id == match.id and _is_about(each, package, match)
        ]
        if not findings:
            rules = [
                f"{rule.id} ({', '.join(f'{name} {value}' for name, value in sorted(rule.params.items())) or 'always'})"
                for policy in decision.bundle.policies
                if verdict and policy.id in verdict.policy_ids
                for rule in policy.rules
                if rule.gate == "vulnerabilities"
            ]
            return [
                Step(
                    "rule",
                    NO,
                    f"no rule fires for it: {_listed(rules) or 'none is about vulnerabilities'}",
                )
            ]
        fired = _listed(f"{each.rule_id} of policy {each.policy_id}" for each in findings)
        steps = [Step("rule", YES, fired)]
        standing = [each for each in findings if not each.allowed_by]
        if not standing:
            items = _listed(sorted({each.allowed_by for each in findings}))
            return [*steps, Step("exception", NO, f"let through by exception {items}")]
        worst = max((each.action for each in standing), default=Action.GO)
        return [*steps, Step("exception", YES, f"none lets it through: {worst.label}")]


def _version(package: Package, said: Sequence[_Said], affecting: Sequence[tuple[_Said, Hit]]) -> Step:
    """Whether the versions can be compared at all."""
    query, scheme = said[0].query, said[0].candidate.scheme
    source = f" of source {query.source}" if query.source else ""
    unread = [hit for _, hit in affecting if not hit.compared]
    if unread and len(unread) == len(affecting):
        return Step(
            "version", NOTE, f"{query.version}{source} cannot be compared ({scheme}): undecided counts as a match"
        )
    return Step("version", YES, f"{query.version}{source} ({scheme})")


def _refusal(said: _Said, hit: Hit | None) -> str:
    """Why a statement does not make the package affected: matching is asked again with one condition less."""
    candidate, query = said.candidate, said.query
    if hit is not None:
        return _told(said, "states not affected")
    if candidate.arches and judge(candidate._replace(arches=""), Subject(query)) is not None:
        return _told(said, f"only about {candidate.arches.replace(',', ', ')}, the package is {query.arch}")
    other = Subject(query._replace(module=candidate.module or query.module))
    other.modular = bool(candidate.module) or not other.modular
    if candidate.scheme == "rpm" and judge(candidate, other) is not None:
        return _told(said, f"about {f'module {candidate.module}' if candidate.module else 'another module build'}")
    ranges = [_range(each) for each in unpack_ranges(candidate.ranges)]
    if candidate.versions:
        listed = candidate.versions.split("\n")
        ranges.append(f"one of {_listed(listed)}")
    return _told(said, f"{query.version} is not {' or '.join(ranges) or 'concerned'}")


def _range(each: Range) -> str:
    start = f">= {each.introduced}" if each.introduced and each.introduced != "0" else ""
    end = f"< {each.fixed}" if each.fixed else f"<= {each.last_affected}" if each.last_affected else ""
    return " and ".join(part for part in (start, end) if part) or "any version"


def _told(said: _Said, text: str) -> str:
    return f"{said.advisory.id} of {said.candidate.feed}: {text}"


def _no_vex(decision: Decision) -> str:
    documents = decision.report.vex
    if not documents:
        return "no VEX document was given"
    return f"no statement is about it in {_listed(each.name for each in documents)}"


def _is_about(finding: Finding, package: Package, match: Match) -> bool:
    """Whether a finding of the match's vulnerability is about this package: its trigger id names it."""
    identity = finding.trigger_id
    return "+" not in identity or identity.partition("+")[2] in (package.name, package.source, match.package.name)


def _called(name: str, packages: Sequence[Package]) -> str:
    binary = sorted({each.name for each in packages} - {name})
    return f"{name} (source of {_listed(binary)})" if binary else name


_MOST = 8


def _who(states: Sequence[FeedState]) -> str:
    """Which feeds were asked; of many, for which a line is too short, how long ago the oldest was checked."""
    if len(states) <= _EACH:
        told = (f"{each.name} (revision {each.revision}, {each.source_date or each.updated_at})" for each in states)
        return ", ".join(told) or "there is no feed"
    oldest = min(each.updated_at or each.source_date for each in states)
    return f"{len(states)} feeds, none of them checked before {oldest}: {', '.join(each.name for each in states)}"


def _listed(texts: Iterable[str]) -> str:
    items = list(dict.fromkeys(texts))
    more = f" and {len(items) - _MOST} more" if len(items) > _MOST else ""
    return ", ".join(items[:_MOST]) + more
