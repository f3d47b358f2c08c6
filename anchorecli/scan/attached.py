"""What hangs on the image, judged by a bundle: whose signatures hold, and whose VEX statements are believed."""

from __future__ import annotations

import json

from anchorecli.errors import UsageError
from anchorecli.model import Attached, Check, Checked, Image, Problem
from anchorecli.scan.values import Hanging
from anchorecli.signatures import Trust
from anchorecli.signatures.check import Found, check
from anchorecli.values import replace
from anchorecli.vex import read_bytes
from anchorecli.vex.values import VexDocument


def hanging(attached: Attached | None, trust: Trust, image: Image, now: str) -> Hanging:
    """What hangs on an image, by the signers of a bundle. Raises: UsageError as ``check`` does."""
    if attached is None:
        if not trust.vex:
            return Hanging()
        message = "VEX statements that are attached to the image were not looked for"
        problem = Problem("vex", "attachments", message, "scan it again, from its registry", incomplete=False)
        return Hanging(remarks=(problem,))
    found = check(attached, trust, image, now)
    documents: list[VexDocument] = []
    remarks = list(attached.problems)
    for each in found:
        if not _is_vex(each):
            continue
        if each.checked.check is Check.VERIFIED and each.checked.signer in trust.vex:
            remarks += _read(each, documents)
        else:
            remarks.append(_unused(each.checked))
    items = tuple(dict.fromkeys(each.checked for each in found))
    return Hanging(items, attached.problems, tuple(documents), tuple(remarks))


def _read(found: Found, documents: list[VexDocument]) -> list[Problem]:
    """One believed document; nothing it says is believed where it cannot be read."""
    checked = found.checked
    try:
        document = read_bytes(found.content, _name(checked))
    except UsageError as error:
        return [
            Problem("vex", _name(checked), f"its VEX statements cannot be used: {error.message}", error.hint, False)
        ]
    # The digest is that of what is attached, by which it can be fetched.
    documents.append(replace(document, name=_name(checked), digest=checked.digest, signer=checked.signer))
    return []


def _unused(checked: Checked) -> Problem:
    why = checked.note or f"its signer {checked.signer} is not among those whose VEX the bundle believes"
    message = f"VEX statements attached to the image were not used: {why}"
    hint = "trust: vex: in the bundle names the signers who are believed"
    return Problem("vex", _name(checked), message, hint, incomplete=False)


def _is_vex(found: Found) -> bool:
    """Whether something is a VEX document; an SBOM that judges no vulnerability is none."""
    from anchorecli.vex import csaf, cyclonedx, openvex

    try:
        document = json.loads(found.content) if found.content else None
    except (ValueError, RecursionError):
        return False
    if not isinstance(document, dict):
        return False
    if cyclonedx.recognises(document):
        listed = document.get("vulnerabilities")
        return isinstance(listed, list) and any(isinstance(each, dict) and each.get("analysis") for each in listed)
    return openvex.recognises(document) or csaf.recognises(document)


def _name(checked: Checked) -> str:
    """What reports call it: there is no file."""
    return f"attached {checked.digest[:19]}"
