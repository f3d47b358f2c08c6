"""A store, an analysis and a bundle in code, for what decides."""

from __future__ import annotations

from anchorecli.model import (
    Analysis,
    DiffId,
    Distro,
    Image,
    ImageConfig,
    ImageRef,
    Layer,
    Package,
    Platform,
    Severity,
)
from anchorecli.policy.bundle import fail_on_bundle, parse_bundle
from anchorecli.policy.values import Bundle
from anchorecli.scan.past import Inputs
from anchorecli.scan.values import Feeds, Given, Occasion
from tests.store.values import digest

NOW = "2026-03-10T12:00:00Z"
DEBIAN = Distro("debian", "12", codename="bookworm")
LAYERS = tuple(Layer(DiffId(f"sha256:{digit * 64}"), instruction=f"RUN step {digit}") for digit in "abc")


def reference(name: str = "app", tag: str = "1") -> ImageRef:
    return ImageRef("registry", f"{name}:{tag}", registry="docker.io", repository=name, tag=tag)


def analysis(*packages: Package, distro: Distro | None = DEBIAN, name: str = "app") -> Analysis:
    image = Image(
        reference(name), digest(f"config {name}"), digest(f"manifest {name}"),
        ImageConfig(Platform("linux", "amd64"), raw="{}"), LAYERS,
    )  # fmt: skip
    return Analysis(image, distro, packages, analyzers={"dpkg": 1})


def deb(name: str, version: str, source: str = "", **fields: object) -> Package:
    values = {"arch": "amd64", "source": source or name, "source_version": version, "layer": LAYERS[0].diff_id} | fields
    return Package(name, version, "deb", "deb", f"pkg:deb/debian/{name}@{version}", **values)  # type: ignore[arg-type]


def stop_at(severity: Severity = Severity.HIGH) -> Bundle:
    return fail_on_bundle(severity)


def bundle(text: str) -> Bundle:
    return parse_bundle(text)


def inputs(found: Analysis, judged_by: Bundle | None = None, *, feeds: Feeds | None = None, now: str = NOW) -> Inputs:
    occasion = Occasion(now, found.image.ref, store_it=False)
    return Inputs(found, judged_by or stop_at(), occasion, feeds or Feeds(), Given())
