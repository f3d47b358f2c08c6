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
        ('CMD ["nginx" "-g" "daemon off;"]', 'CMD ["nginx", "-g", "daemon off;"]'),
        ('/bin/sh -c #(nop)  ENTRYPOINT ["/x" "a \\"b\\" c"]', 'ENTRYPOINT ["/x", "a \\"b\\" c"]'),
        ('CMD ["a", "b"]', 'CMD ["a", "b"]'),
        ("CMD nginx -g", "CMD nginx -g"),
        ('VOLUME ["/data" "/logs"]', 'VOLUME ["/data", "/logs"]'),
        ("COPY --link --chown=1:1 /a /b # buildkit", "COPY --link --chown=1:1 /a /b"),
        ("/bin/sh -c --mount=type=cache,target=/c pip install x", "RUN --mount=type=cache,target=/c pip install x"),
        (
            "RUN /bin/sh -c apt-get update\napt-get install -y x\n # buildkit",
            "RUN <<EOF\napt-get update\napt-get install -y x\nEOF",
        ),
        ("RUN /bin/sh -c cat <<EOF > /x\nhello\nEOF # buildkit", "RUN cat <<EOF > /x\nhello\nEOF"),
        ("/bin/sh -c <<END\nhello\nEND", "RUN <<END\nhello\nEND"),
        ("RUN /bin/sh -c a\nEOF\nb # buildkit", "RUN <<EOF_\na\nEOF\nb\nEOF_"),
        ("|1 A=b /bin/sh -c make", "RUN make"),
        ("RUN apt-get update", "RUN apt-get update"),
        (
            'HEALTHCHECK &{["CMD" "a"] "0s" "0s" "0s" "0s" \'\\n\'}',
            'HEALTHCHECK --retries=10 CMD ["a"]',
        ),
        ('HEALTHCHECK &{["CMD" "a"] "0s" "0s" "0s" "0s" \'A\'}', 'HEALTHCHECK --retries=65 CMD ["a"]'),
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


@pytest.mark.parametrize("shell", ["SHELL [/bin/bash -o pipefail -c]", 'SHELL ["/bin/bash", "-o", "pipefail", "-c"]'])
def test_a_shell_of_the_image_stands_before_commands(shell):
    bash = "/bin/bash -o pipefail -c"
    history = [
        HistoryEntry(f"RUN {bash} early # buildkit"),
        HistoryEntry(shell, empty_layer=True),
        HistoryEntry(f"RUN {bash} a | b # buildkit"),
        HistoryEntry(f"RUN |2 A=1 B=two words {bash} make # buildkit"),
        HistoryEntry(f"|1 A=1 {bash} classic"),
        HistoryEntry("RUN other"),
    ]
    lines = [step.line for step in steps(history, 5)]
    assert lines == [
        f"RUN {bash} early", 'SHELL ["/bin/bash", "-o", "pipefail", "-c"]', "RUN a | b", "RUN make", "RUN classic",
        "RUN other",
    ]  # fmt: skip
