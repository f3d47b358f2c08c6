"""Images that cost a scanner dear: Java archives inside each other, programs written in Go, a million empty files.

usage: large_images.py DIRECTORY [NAME...]      without names all; those that are there are kept

Each is a docker archive, plain (NAME.tar) and gzip'd (NAME.gz.tar); ``many`` only gzip'd. They are made of Debian's
packages, Maven Central's and PyPI's. An image whose tools or registry are not here is left out with a word.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path

from compare_images import copy_from_maven
from images import debian, docker_archive, pack

JAVA = "openjdk-17-jre-headless tomcat10 maven ant gradle jetty9 libspring-web-java activemq zookeeper".split()
GO = (
    "golang-golang-x-tools golang-cfssl gogoprotobuf containernetworking-plugins docker.io containerd hugo rclone "
    "prometheus prometheus-alertmanager prometheus-node-exporter prometheus-blackbox-exporter "
    "prometheus-snmp-exporter prometheus-mysqld-exporter prometheus-postgres-exporter prometheus-pushgateway gh "
    "caddy podman buildah skopeo runsc restic syncthing etcd-server etcd-client packer nncp aws-nuke "
    "victoria-metrics git-lfs age delve micro mtail miller gobgpd nats-server docker-registry esbuild "
    "kubernetes-client golang-chroma fq yaegi lego aptly notary"
).split()
"""More than a hundred programs."""
PYSPARK = "pyspark==3.5.1"
"""Two hundred and fifty jars in one wheel."""
FILES = 1_000_000


def java(layers: Path) -> list[Path]:
    """Java's own Debian packages; below /srv the libraries of a large application, as they lie and in archives."""
    system, application = layers / "java-system.layer", layers / "java-application.layer"
    if not system.exists():
        debian(system, JAVA)
    if not application.exists():
        root = _fresh(application.with_suffix(".root"))
        jars = root / "srv/lib"
        copy_from_maven(jars, root.with_suffix(".maven"))
        _nested(root, sorted(jars.glob("*.jar")))
        pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps")
        subprocess.run([*pip, "--target", str(root / "opt/spark"), PYSPARK], check=True, stdout=sys.stderr)
        pack(root, application)
    return [system, application]


def _nested(root: Path, jars: list[Path]) -> None:
    """The same jars in a fat jar (stored, as Spring Boot has them), in deflated wars, and those in an archive again."""
    _archive(root / "srv/boot.jar", "BOOT-INF/lib", jars, "c0f")
    wars = []
    for number in range(3):
        wars.append(root / f"srv/part{number}.war")
        _archive(wars[-1], "WEB-INF/lib", jars[number::3], "cf")
    _archive(root / "srv/all.ear", ".", wars, "cf")


def _archive(target: Path, inside: str, files: Iterable[Path], mode: str) -> None:
    work = _fresh(target.with_suffix(".work"))
    (work / inside).mkdir(parents=True, exist_ok=True)
    for file in files:
        shutil.copy(file, work / inside)
    subprocess.run(["jar", mode, str(target), "-C", str(work), "."], check=True)
    shutil.rmtree(work)


def go(layers: Path) -> list[Path]:
    """Debian with more than a hundred programs written in Go."""
    layer = layers / "go.layer"
    if not layer.exists():
        debian(layer, GO)
    return [layer]


def many(layers: Path) -> list[Path]:
    """A layer of empty files: a thousand directories with a thousand each."""
    layer = layers / "many.layer"
    if not layer.exists():
        part = layer.with_suffix(".part")
        with tarfile.open(part, "w", format=tarfile.USTAR_FORMAT) as tar:
            for number in range(FILES):
                tar.addfile(tarfile.TarInfo(f"srv/data/{number // 1000:04}/an-empty-file-of-many-{number % 1000:04}"))
                tar.members.clear()  # it would remember each
        part.rename(layer)
    return [layer]


IMAGES: dict[str, Callable[[Path], list[Path]]] = {"java": java, "go": go, "many": many}


def build(directory: Path, names: Iterable[str] = IMAGES) -> None:
    """Make the images that are not there yet, as far as they can be made."""
    directory.mkdir(parents=True, exist_ok=True)
    for name in names:
        try:
            for compress in ("", "gzip") if name != "many" else ("gzip",):
                target = directory / f"{name}{'.gz' if compress else ''}.tar"
                if not target.exists():
                    sys.stderr.write(f"making {target.name}\n")
                    docker_archive(target, IMAGES[name](directory), f"bench/{name}:1", compress=compress)
        except (OSError, subprocess.CalledProcessError) as exc:
            sys.stderr.write(f"{name} cannot be made here: {exc}\n")


def _fresh(directory: Path) -> Path:
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return directory


if __name__ == "__main__":
    build(Path(sys.argv[1]), sys.argv[2:] or IMAGES)
