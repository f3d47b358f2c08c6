"""The Dockerfile that history tells of."""

from __future__ import annotations

import pytest

from anchorecli.model import HistoryEntry
from anchorecli.scan.history import Step, line_of, steps


@pytest.mark.parametrize(
    ("written", "line"),
    [
        ('/bin/sh -c #(nop)  CMD ["bash"]', 'CMD ["bash"]'),
        ("/bin/sh -c #(nop) COPY dir:1f2e in /app ", "COPY dir:1f2e /app"),
        ("/bin/sh -c #(nop) ADD file:ab in / ", "ADD file:ab /"),
        ("/bin/sh -c apt-get update", "RUN apt-get update"),
        ("RUN /bin/sh -c apt-get update # buildkit", "RUN apt-get update"),
        ("RUN |2 A=1 B=two words /bin/sh -c make # buildkit", "RUN make"),
        ("/bin/sh -c #(nop)  EXPOSE map[80/tcp:{} 443/tcp:{}]", "EXPOSE 80/tcp 443/tcp"),
        ("EXPOSE [8080/tcp]", "EXPOSE 8080/tcp"),
        ("VOLUME [/data /logs]", 'VOLUME ["/data", "/logs"]'),
        ('VOLUME ["/data"]', 'VOLUME ["/data"]'),
        ("SHELL [/bin/bash -c]", 'SHELL ["/bin/bash", "-c"]'),
        (
            'HEALTHCHECK &{["CMD-SHELL" "curl -f \\"x\\" || exit 1"] "30s" "3s" "0s" "0s" \'\\x03\'}',
            'HEALTHCHECK --interval=30s --timeout=3s --retries=3 CMD curl -f "x" || exit 1',
        ),
        ('HEALTHCHECK &{["CMD" "a" "b"] "0s" "0s" "0s" "0s" \'\\x00\'}', 'HEALTHCHECK CMD ["a", "b"]'),
        ('HEALTHCHECK &{["NONE"] "0s" "0s" "0s" "0s" \'\\x00\'}', "HEALTHCHECK NONE"),
        ("COPY --from=build /a /b # buildkit", "COPY --from=build /a /b"),
        ("bazel build ...", "# bazel build ..."),
        ("two\nlines", "# two\n# lines"),
        ("", "#"),
    ],
)
def test_lines(written, line):
    assert line_of(written) == line


def test_layers_belong_to_the_steps_that_made_them():
    history = [HistoryEntry("ADD a /"), HistoryEntry("ENV A=1", empty_layer=True), HistoryEntry("RUN x", created="now")]
    assert steps(history, 2) == [Step("ADD a /", 0, ""), Step("ENV A=1", None, ""), Step("RUN x", 1, "now")]
    assert [step.layer for step in steps(history, 5)] == [None, None, None]
