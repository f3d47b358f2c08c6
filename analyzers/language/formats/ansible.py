"""Ansible collections.

Format: https://docs.ansible.com/ansible/latest/dev_guide/collections_galaxy_meta.html ; what Galaxy serves has a
``MANIFEST.json`` with ``collection_info``, installed as ``ansible_collections/NAMESPACE/NAME/MANIFEST.json``.
"""

from __future__ import annotations

from collections.abc import Iterator

from anchorecli.analyzers.documents import read_json
from anchorecli.analyzers.language.core_metadata import printable
from anchorecli.analyzers.language.rows import Row, row


def read(path: str, data: bytes) -> Iterator[Row]:
    """The collection, where the path is its own."""
    document = read_json(data)
    about = document.get("collection_info") if isinstance(document, dict) else None
    if not isinstance(about, dict):
        return
    said = {key: printable(about[key]) for key in ("namespace", "name", "version") if isinstance(about.get(key), str)}
    if len(said) == 3 and path.endswith(f"/{said['namespace']}/{said['name']}/MANIFEST.json"):
        licences = about.get("license")
        texts = [printable(each) for each in licences if isinstance(each, str)] if isinstance(licences, list) else []
        yield row("ansible-collection", f"{said['namespace']}.{said['name']}", said["version"], licenses=texts)
