"""VEX statements applied to matches: what is settled is suppressed with its reason, the rest is annotated.

Of several statements about one vulnerability in one package the latest holds. Where two of one time disagree the
one that leaves more to do holds, and the disagreement is a problem. Nothing is ever taken out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from anchorecli.model import Analysis, ImageRef, Match, Package, Problem
from anchorecli.values import replace
from anchorecli.vex.cpe import is_system
from anchorecli.vex.products import Subject, distro_names, is_package
from anchorecli.vex.values import VexDocument, VexStatement, VexStatus

_CAUTION = (VexStatus.NOT_AFFECTED, VexStatus.FIXED, VexStatus.UNDER_INVESTIGATION, VexStatus.AFFECTED)
"""From what leaves nothing to do to what leaves most."""


class Said(NamedTuple):
    """A statement that is about a match, and whose it is."""

    statement: VexStatement
    document: VexDocument

    @property
    def text(self) -> str:
        """In the words of a report."""
        said = self.statement
        reason = "; ".join(filter(None, (said.justification, said.impact, said.action)))
        who = " by ".join(filter(None, (self.document.name, self.document.author)))
        signed = f", signed by {self.document.signer}" if self.document.signer else ""
        return f"VEX {said.status.value}{f' ({reason})' if reason else ''}: {who}{signed}"


class Vex:
    """The statements of documents, asked about the matches of one image."""

    def __init__(self, documents: Sequence[VexDocument], analysis: Analysis, reference: ImageRef) -> None:
        self._subject = Subject.of(analysis.image, reference)
        self._packages = analysis.packages
        self._distro = analysis.distro
        self._releases = distro_names(analysis.distro)
        self._by_name: dict[str, list[Said]] = {}
        for document in documents:
            for statement in document.statements:
                for name in statement.names:
                    self._by_name.setdefault(name.upper(), []).append(Said(statement, document))

    def about(self, match: Match) -> list[Said]:
        """The statements about a match, the one that holds first."""
        found: dict[int, Said] = {}
        for name in (match.id, match.advisory, *match.aliases):
            for said in self._by_name.get(name.upper(), ()):
                if id(said.statement) not in found and self._is_meant(said.statement, match.package):
                    found[id(said.statement)] = said
        return sorted(found.values(), key=_precedence, reverse=True)

    def _is_meant(self, statement: VexStatement, package: Package) -> bool:
        if statement.subcomponents:
            return any(is_package(each, package, self._releases) for each in statement.subcomponents) and self._is_here(
                statement
            )
        return any(
            self._subject.is_named(each) or is_package(each, package, self._releases) for each in statement.products
        )

    def _is_here(self, statement: VexStatement) -> bool:
        """Whether one of a statement's products is the image, its distribution, or a package in it."""
        return any(
            self._subject.is_named(each)
            or is_system(each, self._distro)
            or any(is_package(each, package, self._releases) for package in self._packages)
            for each in statement.products
        )


def applied(
    matches: Sequence[Match], documents: Sequence[VexDocument], analysis: Analysis, reference: ImageRef
) -> tuple[tuple[Match, ...], tuple[Problem, ...]]:
    """The matches with what documents say of them, and what is wrong with the documents."""
    vex = Vex(documents, analysis, reference)
    problems = {Problem("vex", each.name, remark, incomplete=False) for each in documents for remark in each.remarks}
    found = []
    for match in matches:
        said = vex.about(match)
        if not said:
            found.append(match)
            continue
        found.append(_marked(match, said[0]))
        rivals = {each.statement.status for each in said if each.statement.timestamp == said[0].statement.timestamp}
        if len(rivals) > 1:
            words = " and ".join(sorted(each.value for each in rivals))
            message = f"statements of one time about {match.package.name} disagree ({words}): the more cautious holds"
            problems.add(Problem("vex", match.id, message, "remove or date the statement that is wrong", False))
    return tuple(found), tuple(sorted(problems))


def _marked(match: Match, said: Said) -> Match:
    text = said.text
    if said.statement.status.settles:
        return replace(match, vex=text, suppressed=match.suppressed or text)
    return replace(match, vex=text)


def _precedence(said: Said) -> tuple[str, int, str]:
    return said.statement.timestamp, _CAUTION.index(said.statement.status), said.text
