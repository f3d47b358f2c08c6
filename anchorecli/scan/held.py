"""Which packages the images of the store hold: what the feed ``packages`` asks registries about."""

from __future__ import annotations

from anchorecli.scan.documents import read_analysis
from anchorecli.scan.registries import is_registrys
from anchorecli.store import Store


def registry_names(store: Store) -> frozenset[tuple[str, str]]:
    """(purl type, name) of every package of npm and RubyGems in a stored image that its registry may be asked about."""
    found: set[tuple[str, str]] = set()
    for image in store.images():
        document = store.latest_analysis(image.image_id)
        if document is None:
            continue
        try:
            packages = read_analysis(document).packages
        except ValueError:
            continue  # of another form, or damaged: told where the image is asked for
        found.update((package.type, package.name) for package in packages if is_registrys(package))
    return frozenset(found)
