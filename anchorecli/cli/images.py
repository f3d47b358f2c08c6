"""``anchore images``: what the store holds."""

from __future__ import annotations

import json
import stat
import sys
from typing import TYPE_CHECKING, Any

import click

from anchorecli.cli.app import App, Start
from anchorecli.cli.columns import short, show, size
from anchorecli.cli.options import option
from anchorecli.errors import NotFoundError, StoreError, UsageError
from anchorecli.model import File, Kind, Package, StoredImage

if TYPE_CHECKING:
    from anchorecli.scan.history import Step

_FORMATS = {
    Kind.FILE: stat.S_IFREG,
    Kind.DIR: stat.S_IFDIR,
    Kind.SYMLINK: stat.S_IFLNK,
    Kind.HARDLINK: stat.S_IFREG,
    Kind.DEVICE: stat.S_IFCHR,
    Kind.FIFO: stat.S_IFIFO,
}


@click.group()
def images() -> None:
    """The images the store holds."""


@images.command("list")
@option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def list_(start: Start, as_json: bool) -> None:
    """List them, the one analysed last first."""
    with start.app(readonly=True) as app:
        show(
            [_row(image, as_json) for image in app.store.images()],
            as_json=as_json,
            empty="no images yet: anchore scan IMAGE",
        )


@images.command("show")
@click.argument("image")
@click.pass_obj
def show_(start: Start, image: str) -> None:
    """Show all that is kept of IMAGE, as JSON.

    Configuration, history, users and groups, files with privileges, what was looked for, evaluations.
    IMAGE is a name, tag, digest or id, or the beginning of one.
    """
    with start.app(readonly=True) as app:
        found = _one(app, image)
        config, manifest = app.store.image_document(found.image_id) or ("{}", "{}")
        evaluations = [
            {"id": e.id, "created_at": e.created_at, "status": e.status, "matches": e.matches, "reference": e.reference}
            for e in app.store.evaluations(image_id=found.image_id, limit=20)
        ]
        document = _row(found, True) | {
            "layers": list(found.layers),
            "dockerfile": [step.line for step in _steps(config, len(found.layers))],
            **_facts(app, found),
            "evaluations": evaluations,
            "config": _parsed(config),
            "manifest": _parsed(manifest),
        }
        sys.stdout.write(json.dumps(document, indent=2) + "\n")


@images.command("contents")
@click.argument("image")
@option("--files", is_flag=True, help="The file list: kind, mode, owner, size, layer, capabilities, sha256 if taken.")
@option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def contents(start: Start, image: str, files: bool, as_json: bool) -> None:
    """List what is in IMAGE, from the store alone.

    Its packages, or with --files every path of the squashed image.
    """
    from anchorecli.scan.analysis import stored_files, stored_packages

    with start.app(readonly=True) as app:
        found = _one(app, image)
        gone = StoreError(f"what {image} contains is no longer in the store", hint="scan it again")
        if files:
            tree = stored_files(app.store, found.layers)
            if tree is None:
                raise gone
            show([_file_row(file, as_json) for file in tree.files()], as_json=as_json, empty="no files")
            return
        packages = stored_packages(app.store, found.image_id)
        if packages is None:
            raise gone
        show([_package_row(package, as_json) for package in packages], as_json=as_json, empty="no packages")


@images.command("layers")
@click.argument("image")
@option("--json", "as_json", is_flag=True, help="As JSON, with the largest files that are hidden.")
@click.pass_obj
def layers(start: Start, image: str, as_json: bool) -> None:
    """Show what made each layer of IMAGE, and what it wastes.

    Wasted are files that later layers removed or replaced: they still ship, and whoever has the image can read them.
    Secrets are counted where the image was scanned with --secrets.
    """
    from anchorecli.scan.analysis import stored_analysis, stored_files
    from anchorecli.scan.usage import usage

    with start.app(readonly=True) as app:
        found = _one(app, image)
        tree = stored_files(app.store, found.layers)
        if tree is None:
            raise StoreError(f"what {image} contains is no longer in the store", hint="scan it again")
        config, _ = app.store.image_document(found.image_id) or ("{}", "{}")
        made = {step.layer: step.line for step in _steps(config, len(found.layers)) if step.layer is not None}
        analysis = stored_analysis(app.store, found.image_id)
        leaked = [each.layer for each in analysis.removed_secrets] if analysis is not None else []
        rows = []
        for number, used in enumerate(usage(tree)):
            row = {
                "layer": number,
                "diff_id": found.layers[number] if as_json else short(found.layers[number]),
                "files": used.files,
                "size": used.size if as_json else size(used.size),
                "wasted_files": used.wasted_files,
                "wasted": used.wasted if as_json else size(used.wasted),
                "wasted_secrets": leaked.count(found.layers[number]),
                "instruction": made.get(number, ""),
            }
            if as_json:
                row["largest"] = [{"path": path, "size": length} for path, length in used.largest]
            rows.append(row)
        show(rows, as_json=as_json, empty="no layers")


@images.command("remove")
@click.argument("image")
@option("--yes", is_flag=True, help="Remove all that IMAGE matches, if it matches several.")
@click.pass_obj
def remove(start: Start, image: str, yes: bool) -> None:
    """Forget IMAGE. Its layers' facts go with the next `anchore store gc`."""
    with start.app() as app:
        found = app.store.find_images(image)
        if len(found) > 1 and not yes:
            names = ", ".join(f"{short(each.image_id)} ({', '.join(each.names)})" for each in found[:5])
            raise UsageError(f"{image} means {len(found)} images: {names}", hint="name one by its id, or add --yes")
        if not found:
            raise NotFoundError(f"no stored image is called {image}", hint="anchore images list")
        for each in found:
            app.store.remove_image(each.image_id)
            app.note(f"removed {short(each.image_id)} {', '.join(each.names)}")


def _one(app: App, text: str) -> StoredImage:
    found = app.store.find_images(text)
    if not found:
        raise NotFoundError(f"no stored image is called {text}", hint="anchore images list; or scan it first")
    return found[0]


def _facts(app: App, image: StoredImage) -> dict[str, Any]:
    """What is known of an image beside its packages; what was not looked for is not in ``looked_for``."""
    from anchorecli.report.json_facts import facts
    from anchorecli.scan.analysis import stored_analysis, stored_files
    from anchorecli.scan.privileges import privileged

    analysis = stored_analysis(app.store, image.image_id)
    tree = stored_files(app.store, image.layers)
    special = privileged(tree) if tree is not None else ()
    return (facts(analysis) if analysis is not None else {}) | {
        "privileged_files": [
            each._asdict() | {"mode": f"{each.mode:04o}", "kind": each.kind.value, "why": each.why} for each in special
        ]
    }


def _row(image: StoredImage, whole: bool) -> dict[str, Any]:
    return {
        "names": list(image.names),
        "id": image.image_id if whole else short(image.image_id),
        "digest": image.digest if whole else short(image.digest),
        "platform": image.platform,
        "distro": image.distro,
        "packages": image.packages,
        "layers": len(image.layers),
        "size": image.size if whole else size(image.size),
        "analyzed_at": image.analyzed_at,
    }


def _package_row(package: Package, whole: bool) -> dict[str, Any]:
    row = {"name": package.name, "version": package.version, "type": package.type}
    if not whole:
        return row | {"licenses": list(package.licenses), "owner": package.owner}
    return row | {
        "purl": package.purl,
        "licenses": list(package.licenses),
        "owner": package.owner,
        "layer": package.layer,
        "locations": [{"path": each.path, "layer": each.layer} for each in package.locations],
    }


def _file_row(file: File, whole: bool) -> dict[str, Any]:
    row = {
        "mode": f"{file.mode:04o}" if whole else stat.filemode(_FORMATS[file.kind] | file.mode),
        "uid": file.uid,
        "gid": file.gid,
        "size": file.size,
        "layer": file.layer,
        "sha256": file.sha256 if whole else file.sha256[:12],
        "capabilities": file.capabilities,
    }
    if whole:
        return row | {"path": file.path, "kind": file.kind.value, "target": file.target}
    return row | {"path": f"/{file.path}" + (f" -> {file.target}" if file.target else "")}


def _steps(config: str, count: int) -> list[Step]:
    """The instructions that an image's configuration tells of."""
    from anchorecli.scan.history import steps
    from anchorecli.source.imageconfig import build_config

    document = _parsed(config)
    history = build_config(document, config).history if isinstance(document, dict) else ()
    return steps(history, count)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
