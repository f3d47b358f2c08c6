"""Every format renders every report there can be: no combination of values ends in an error."""

from __future__ import annotations

import json
from collections.abc import Iterator
from xml.etree import ElementTree

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings

from anchorecli.model import Report
from anchorecli.report import FORMATS, RenderOptions
from tests.report.test_json import SCHEMA
from tests.report.test_table import harmless
from tests.test_codec import values

ANY = values(Report)


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_any_report_can_be_rendered(form: object) -> None:
    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(ANY)
    def check(report: Report) -> None:
        for options in (RenderOptions(), RenderOptions(all=True, verbose=2, width=10)):
            text = form.render(report, options)  # type: ignore[attr-defined]
            text.encode()
            if form.media_type in ("text/plain", "text/markdown", "text/csv"):  # type: ignore[attr-defined]
                assert harmless(text)
            elif form.name in ("cyclonedx-xml", "junit"):  # type: ignore[attr-defined]
                assert text.isascii()
                ElementTree.fromstring(text)
            elif "json" in form.media_type:  # type: ignore[attr-defined]
                assert text.isascii()
                json.loads(text)
            else:
                assert harmless("\n".join(_unmarked(text)))
        form.render(report, RenderOptions(color=True)).encode()  # type: ignore[attr-defined]

    check()


def _unmarked(text: str) -> Iterator[str]:
    """The values of tag-value lines: what a CI system would act on at the start of a line stands behind a tag there."""
    for line in text.splitlines():
        tag, colon, value = line.partition(": ")
        assert not line or (tag.isalpha() and colon)
        yield value.replace("::", "")


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(ANY)
def test_any_report_has_the_shape_of_the_schema(report: Report) -> None:
    (form,) = (each for each in FORMATS if each.name == "json")
    validator = jsonschema.Draft202012Validator(SCHEMA)
    # Any report also means digests that are none and negative sizes: what is left is the shape.
    values_only = ("pattern", "minimum")
    document = json.loads(form.render(report, RenderOptions()))
    assert [error.message for error in validator.iter_errors(document) if error.validator not in values_only] == []
