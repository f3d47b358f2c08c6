"""``anchore images layers`` and the Dockerfile of ``images show``."""

from __future__ import annotations

import tarfile
from pathlib import Path

from tests.builders import Entry, config, directory, docker_archive, hardlink, layer
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


def test_users_privileges_and_certificates_of_a_stored_image(run: Run, tmp_path: Path) -> None:
    raw = (0x02000001, 1 << 13, 0, 0, 0)
    able = b"".join(each.to_bytes(4, "little") for each in raw).decode("utf-8", "surrogateescape")
    layers = [
        layer(
            {
                "etc/passwd": "root:x:0:0::/root:/bin/sh\n",
                "etc/shadow": "root:$6$salt$THEHASH:1::::::\n",
                "usr/bin/su": Entry(b"x", mode=0o4755),
                "usr/bin/ping": Entry(b"x", mode=0o755, pax={"SCHILY.xattr.security.capability": able}),
                "srv": directory(0o777),
                "tmp": directory(0o1777),
            },
            format=tarfile.PAX_FORMAT,
        ),
        layer({"usr/bin/ping4": hardlink("usr/bin/ping"), "app/key.pem": "-----BEGIN CERTIFICATE-----\nMIIB\n"}),
    ]
    image = docker_archive(tmp_path / "image.tar", layers)
    run("scan", image)
    told = run("images", "show", "test:1").json
    assert [(each["name"], each["password"], each["shell"]) for each in told["accounts"]] == [
        ("root", "set", "/bin/sh")
    ]
    assert [(each["path"], each["why"], each["capabilities"], each["layer"]) for each in told["privileged_files"]] == [
        ("srv", ["world-writable"], "", 0),
        ("usr/bin/ping", ["capabilities"], "cap_net_raw=ep", 0),
        ("usr/bin/ping4", ["capabilities"], "cap_net_raw=ep", 1),
        ("usr/bin/su", ["setuid"], "", 0),
    ]
    assert "certificates" not in told["looked_for"]
    listed = run("images", "contents", "test:1", "--files", "--json").json
    assert {each["path"]: each["capabilities"] for each in listed if each["capabilities"]} == {
        "usr/bin/ping": "cap_net_raw=ep",
        "usr/bin/ping4": "cap_net_raw=ep",
    }
    done = run("scan", image, "--certificates", "-o", "json")
    assert "1 certificates are damaged" in done.out
    assert run("images", "show", "test:1").json["looked_for"]["certificates"]
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("store.db*"))
    assert b"THEHASH" not in kept
    assert "THEHASH" not in done.out


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
