"""Bitnami's documents."""

from __future__ import annotations

import json

import pytest

from anchorecli.analyzers.os.bitnami import BitnamiAnalyzer
from tests.analyzers.view import make_view


def find(analyzer, *layers, distro=None):
    view = make_view(analyzer, layers, distro)
    return view, analyzer.assemble(view)


def spdx(*purls):
    return json.dumps({
        "documentDescribes": ["SPDXRef-0"],
        "packages": [
            {
                "SPDXID": f"SPDXRef-{number}",
                "name": "x",
                "licenseConcluded": "BSD-3-Clause",
                "externalRefs": [{"referenceType": "purl", "referenceLocator": purl}],
            }
            for number, purl in enumerate(purls)
        ],
    })  # fmt: skip


def test_bitnami_documents():
    components = {"redis": {"version": "1-0"}, "wait-for-port": {"arch": "amd64", "version": "1.0.8-5"}}
    _, found = find(
        BitnamiAnalyzer(),
        {
            "opt/bitnami/redis/.spdx-redis.spdx": spdx(
                "pkg:bitnami/redis@7.2.4-0?arch=amd64&distro=debian-12", "pkg:golang/x@1"
            ),
            "opt/bitnami/redis/bin/redis-server": "x",
            "opt/bitnami/.bitnami_components.json": json.dumps(components),
        },
    )
    packages = {package.name: package for package in found.packages}
    assert set(packages) == {"redis", "wait-for-port"}
    redis = packages["redis"]
    assert redis.purl == "pkg:bitnami/redis@7.2.4-0?arch=amd64&distro=debian-12"
    assert (redis.licenses, redis.metadata) == (("BSD-3-Clause",), {"evidence": "document"})
    assert "opt/bitnami/redis/bin/redis-server" in list(found.owned[redis.purl])


@pytest.mark.parametrize("text", ["", "[]", "{", '{"packages": {}}', '{"packages": [1, {"externalRefs": [2]}]}'])
def test_bitnami_documents_that_are_none(text):
    _, found = find(BitnamiAnalyzer(), {"opt/bitnami/a/.spdx-a.spdx": text})
    assert found.packages == ()
