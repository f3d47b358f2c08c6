"""VEX documents written: equal reports give equal texts.

Format: OpenVEX 0.2.0 (https://github.com/openvex/spec/blob/main/OPENVEX-SPEC.md); ``write_csaf`` and
``write_cyclonedx`` for the other two.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from anchorecli.model import Json, Report
from anchorecli.vex.saying import Author, Saying, digest_of, image_purl, sayings
from anchorecli.vex.values import VexStatus
from anchorecli.vex.write_csaf import csaf
from anchorecli.vex.write_cyclonedx import cyclonedx

CONTEXT = "https://openvex.dev/ns/v0.2.0"


def openvex(report: Report, author: Author, said: list[Saying]) -> dict[str, Json]:
    """An OpenVEX document."""
    image = image_purl(report)
    body: dict[str, Json] = {
        "author": author.name,
        "timestamp": report.created_at,
        "version": 1,
        "tooling": f"anchore {report.tool_version}",
        "statements": [_statement(image, each) for each in said],
    }
    return {"@context": CONTEXT, "@id": f"https://openvex.dev/docs/public/vex-{digest_of(body)}", **body}


FORMS: Mapping[str, Callable[[Report, Author, list[Saying]], dict[str, Json]]] = {
    "openvex": openvex,
    "csaf": csaf,
    "cyclonedx": cyclonedx,
}
"""Name of a format → what makes its document."""


def write(form: str, report: Report, author: Author, allowed: VexStatus = VexStatus.AFFECTED) -> str:
    """The document in a format of ``FORMS``. ``allowed`` is the status of what exceptions let through.

    Raises: UsageError where the format cannot say it: CSAF needs a namespace, and at least one statement.
    """
    return json.dumps(FORMS[form](report, author, sayings(report, allowed)), indent=2)


def _statement(image: str, said: Saying) -> dict[str, Json]:
    product = {"@id": image, "subcomponents": [{"@id": purl} for purl, _, _ in said.packages]}
    return {
        "vulnerability": {"name": said.name, "aliases": list(said.aliases)},
        "products": [product],
        "status": said.status.value,
        _REASONS[said.status]: said.reason,
    }


_REASONS = {
    VexStatus.NOT_AFFECTED: "impact_statement",
    VexStatus.AFFECTED: "action_statement",
    VexStatus.FIXED: "status_notes",
    VexStatus.UNDER_INVESTIGATION: "status_notes",
}
