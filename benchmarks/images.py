"""Real images for benchmarks and for the first scan, made of Debian's packages, PyPI's wheels and npm's packages.

usage: images.py small PATH       a minimal Debian as a docker archive (or, where it cannot be built, this machine)
       images.py all DIRECTORY    the benchmark's images, plain and gzip'd, about 3 GB
"""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path

WHEELS = (
    "numpy pandas matplotlib requests flask django sqlalchemy pillow jinja2 cryptography boto3 networkx pytest black "
    "ansible-core jupyterlab"
).split()
NPM = "express react next webpack typescript eslint jest lodash axios @angular/cli gatsby-cli aws-cdk-lib".split()


def small(path: Path) -> None:
    """A minimal Debian at ``path``; ``path.source`` then holds what to scan."""
    source = path.with_name(path.name + ".source")
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        rootfs = path.with_suffix(".rootfs")
        try:
            sys.stderr.write("making a small real image: a minimal Debian 12 (half a minute)\n")
            debian(rootfs, ())
            docker_archive(path, [rootfs], "example.local/debian:12")
        except (OSError, subprocess.CalledProcessError) as exc:
            sys.stderr.write(f"could not make a Debian image ({exc}); scanning this machine instead\n")
            source.write_text("dir:/")
            return
        finally:
            rootfs.unlink(missing_ok=True)
    source.write_text(f"docker-archive:{path}")


def all_images(directory: Path) -> None:
    """The benchmark's images: debian (0.2 GB inflated), python (0.8), big (2, more than 50,000 files).

    Java and Go are in ``large_images.py``.
    """
    directory.mkdir(parents=True, exist_ok=True)
    base, fat, wheels, node = (directory / f"{name}.layer" for name in ("debian", "fat", "wheels", "node"))
    for layer, build in (
        (base, lambda: debian(base, ())),
        (fat, lambda: debian(fat, ("python3", "git", "nodejs", "npm", "build-essential"))),
        (wheels, lambda: pip_layer(wheels)),
        (node, lambda: npm_layer(node)),
    ):
        if not layer.exists():
            sys.stderr.write(f"making {layer.name}\n")
            build()
    for name, layers in (("debian", [base]), ("python", [base, wheels]), ("big", [fat, wheels, node])):
        for compress in ("", "gzip"):
            target = directory / f"{name}{'.gz' if compress else ''}.tar"
            if not target.exists():
                docker_archive(target, layers, f"bench/{name}:1", compress=compress)


def debian(target: Path, include: Sequence[str]) -> None:
    """A Debian root file system as one tar."""
    extra = [f"--include={','.join(include)}"] if include else []
    command = ["mmdebstrap", "--quiet", "--variant=minbase", *extra, "--format=tar", "bookworm", str(target)]
    if shutil.which("mmdebstrap") is None:
        raise FileNotFoundError("mmdebstrap is not installed")
    subprocess.run(command, check=True, stdout=sys.stderr)


def pip_layer(target: Path) -> None:
    """Wheels in a site-packages directory, with compiled modules, as a container build leaves them."""
    root = target.with_suffix(".root")
    site = root / "usr/local/lib/python3.11/dist-packages"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(site), *WHEELS]
    subprocess.run(command, check=True, stdout=sys.stderr)
    subprocess.run([sys.executable, "-m", "compileall", "-q", str(site)], check=False, stdout=sys.stderr)
    pack(root, target)


def npm_layer(target: Path) -> None:
    """node_modules of some well-known packages."""
    root = target.with_suffix(".root")
    application = root / "srv/app"
    application.mkdir(parents=True, exist_ok=True)
    command = ["npm", "install", "--silent", "--ignore-scripts", "--no-audit", "--no-fund", *NPM]
    subprocess.run(command, check=True, cwd=application, stdout=sys.stderr)
    pack(root, target)


def pack(root: Path, target: Path) -> None:
    """A directory as a layer tar; the directory is removed."""
    command = [
        "tar",
        "--sort=name",
        "--owner=0",
        "--group=0",
        "--numeric-owner",
        "-cf",
        str(target),
        "-C",
        str(root),
        ".",
    ]
    subprocess.run(command, check=True)
    shutil.rmtree(root)


def docker_archive(path: Path, layers: Sequence[Path], tag: str, *, compress: str = "") -> None:
    """A `docker save` archive around layer tars, gzip'd or plain."""
    blobs, diff_ids = [], []
    for layer in layers:
        diff_ids.append(file_digest(layer))
        blobs.append(gzipped(layer) if compress else layer)
    config = json.dumps({
        "architecture": "amd64", "os": "linux", "created": "2024-01-01T00:00:00Z", "config": {"Cmd": ["/bin/sh"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{d}" for d in diff_ids]},
        "history": [{"created_by": f"/bin/sh -c #(nop) ADD file:{d[:12]} in / "} for d in diff_ids],
    }).encode()  # fmt: skip
    config_name = f"{hashlib.sha256(config).hexdigest()}.json"
    names = [f"{file_digest(blob)}.tar{'.gz' if compress else ''}" for blob in blobs]
    manifest = json.dumps([{"Config": config_name, "RepoTags": [tag], "Layers": names}]).encode()
    part = path.with_suffix(".part")
    with tarfile.open(part, "w") as tar:
        for name, blob in zip(names, blobs, strict=True):
            tar.add(blob, name)
        for name, data in ((config_name, config), ("manifest.json", manifest)):
            member = path.with_suffix(".member")
            member.write_bytes(data)
            tar.add(member, name)
            member.unlink()
    part.rename(path)


def over_debian(fill: Callable[[Path], None]) -> Callable[[Path], None]:
    """An image of a minimal Debian below a layer that ``fill`` puts into a directory."""

    def make(target: Path) -> None:
        base, layer, root = (
            target.parent / name for name in ("base.layer", f"{target.stem}.layer", f"{target.stem}.root")
        )
        if not base.exists():
            debian(base, ())
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir()
        fill(root)
        pack(root, layer)
        docker_archive(target, [base, layer], f"compare/{target.stem}:1")
        layer.unlink()

    return make


def run(*command: object, cwd: Path | None = None, env: dict[str, str] | None = None) -> None:
    subprocess.run([*map(str, command)], check=True, cwd=cwd, env=env, stdout=sys.stderr)


def gzipped(layer: Path) -> Path:
    """A layer as builders compress it (gzip's default level)."""
    target = layer.with_suffix(".layer.gz")
    if not target.exists():
        part = target.with_suffix(".part")
        with layer.open("rb") as source, gzip.GzipFile(part, "wb", 6, mtime=0) as out:
            shutil.copyfileobj(source, out, 1 << 20)
        part.rename(target)
    return target


def file_digest(path: Path) -> str:
    """Hex sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    {"small": small, "all": all_images}[sys.argv[1]](Path(sys.argv[2]))
