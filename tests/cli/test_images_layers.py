"""``anchore images layers`` and the Dockerfile of ``images show``."""

from __future__ import annotations

from pathlib import Path

from tests.builders import config, docker_archive, layer
from tests.cli.conftest import Run


def test_the_layers_of_a_stored_image(run: Run, tmp_path: Path) -> None:
    layers = [layer({"secret": "x" * 100, "etc/hostname": "h"}), layer({".wh.secret": ""})]
    history = [
        {"created_by": "/bin/sh -c #(nop) ADD file:00 in / "},
        {"created_by": "ENV A=1", "empty_layer": True},
        {"created_by": "RUN /bin/sh -c rm /secret # buildkit"},
    ]
    image = docker_archive(tmp_path / "image.tar", layers, config(layers, history=history))
    run("sbom", image, "-o", "purls")
    first, second = run("images", "layers", "test:1", "--json").json
    assert (first["wasted"], first["largest"], first["instruction"]) == (
        100,
        [{"path": "secret", "size": 100}],
        "ADD file:00 /",
    )
    assert (second["wasted"], second["instruction"]) == (0, "RUN rm /secret")
    assert run("images", "show", "test:1").json["dockerfile"] == ["ADD file:00 /", "ENV A=1", "RUN rm /secret"]
    assert "RUN rm /secret" in run("images", "layers", "test:1").out
    assert run("images", "layers", "nothing").code != 0


def test_what_the_flags_add(run: Run, tmp_path: Path) -> None:
    lock = '{"packages": [{"name": "a/b", "version": "1.0.0"}]}'
    hints = '{"packages": [{"name": "zlib", "version": "1.3", "type": "binary"}]}'
    gone = "Name: six\nVersion: 1.16\n"
    meta = "usr/lib/python3/site-packages/six-1.16.dist-info"
    layers = [
        layer({"app/composer.lock": lock, "anchore_hints.json": hints, f"{meta}/METADATA": gone}),
        layer({"usr/lib/python3/site-packages/.wh.six-1.16.dist-info": ""}),
    ]
    image = docker_archive(tmp_path / "image.tar", layers)

    def purls(*flags: str) -> list[str]:
        return run("sbom", image, "-o", "purls", *flags).out.split()

    assert purls() == []
    assert purls("--declared") == ["pkg:composer/a/b@1.0.0"]
    assert purls("--hints") == ["pkg:generic/zlib@1.3"]
    assert purls("--all-layers") == ["pkg:pypi/six@1.16"]
    assert len(purls("--declared", "--hints", "--all-layers")) == 3
    project = tmp_path / "project"
    project.mkdir()
    (project / "composer.lock").write_text(lock)
    assert run("sbom", f"dir:{project}", "-o", "purls").out.split() == ["pkg:composer/a/b@1.0.0"]
