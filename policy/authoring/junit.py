"""Results of cases as JUnit XML, for CI systems.

Format: the ``testsuites``/``testsuite``/``testcase``/``failure`` elements that Jenkins and GitLab read.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr  # what is written, never read

from anchorecli.policy.authoring.testing import Result


def junit(results: Sequence[Result]) -> str:
    """One suite for each file of cases."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f"<testsuites{_counts(results)}>"]
    for path in dict.fromkeys(result.case.path for result in results):
        cases = [result for result in results if result.case.path == path]
        lines.append(f"  <testsuite name={_attribute(path)}{_counts(cases)}>")
        for result in cases:
            lines += _case(result)
        lines.append("  </testsuite>")
    return "\n".join([*lines, "</testsuites>"]) + "\n"


def _case(result: Result) -> list[str]:
    case = result.case
    head = f"    <testcase name={_attribute(case.name)} classname={_attribute(case.path)}"
    head += f' file={_attribute(case.path)} line="{case.line}"'
    if result.ok:
        return [head + "/>"]
    text = escape("\n".join(_valid(line) for line in result.differences))
    message = _attribute(result.differences[0])
    return [head + ">", f"      <failure message={message}>{text}</failure>", "    </testcase>"]


def _counts(results: Sequence[Result]) -> str:
    failed = sum(not result.ok for result in results)
    return f' tests="{len(results)}" failures="{failed}" errors="0"'


def _attribute(text: str) -> str:
    return quoteattr(_valid(text))


def _valid(text: str) -> str:
    """Without what XML 1.0 cannot hold."""
    return "".join(one if one in "\t\n" or one.isprintable() else "?" for one in text)
