"""Whom a bundle trusts: its ``trust`` key.

Format::

    trust:
      signers:
        - id: release                 # the name that rules and reports use
          key: keys/release.pub       # public keys (PEM) in a file beside the bundle, or the text itself
        - id: ci                      # or by certificates:
          roots: keys/fulcio.pem      # of the authorities
          identity: https://github.com/example/*     # who a certificate must be of; * is any run of characters
          issuer: https://token.actions.githubusercontent.com    # who must have vouched for that; optional
          log: keys/rekor.pub         # public keys of the transparency log that tells when it was used; optional
      vex: [release]                  # whose attached VEX statements are believed

Files lie in the folder of the bundle or below. In its canonical form a bundle holds their text, so that one evaluation
is judged by the same keys for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from anchorecli.policy.language.document import Node
from anchorecli.policy.language.faults import Faults, quoted, unknown
from anchorecli.policy.language.fields import Fields, Ids
from anchorecli.policy.language.parameters import split_list
from anchorecli.policy.values import Policy
from anchorecli.signatures import NO_TRUST, Signer, Trust
from anchorecli.signatures.certificates import roots_fault
from anchorecli.signatures.keys import MAX_PEM, blocks, certificate_blocks, keys_fault

_SIGNER_KEYS = ("id", "key", "roots", "identity", "issuer", "log")
_OF_CERTIFICATES = ("identity", "issuer", "log")
SIGNED_TRIGGERS = ("attestation_missing", "signature_missing")
"""Triggers of the gate ``image`` that ask for a signer."""


def read_trust(node: Node | None, path: str, faults: Faults, *, from_file: bool) -> Trust:
    """What stands under the key ``trust``; nobody is trusted where there is none."""
    if node is None or node.kind == "null":
        return NO_TRUST
    fields = Fields(node, '"trust"', ("signers", "vex"), faults)
    ids = Ids("signer", faults)
    folder = Path(path).parent if from_file else None
    signers = tuple(_signer(each, ids, folder, faults) for each in fields.items("signers"))
    names = [signer.id for signer in signers]
    believed = fields.words("vex")
    for missing in (name for name in believed if name not in names):
        faults.add(fields.line_of("vex"), unknown("signer", missing, names, ' in "vex"'))
    return Trust(signers, believed)


def check_signers(policies: Iterable[Policy], trust: Trust, faults: Faults) -> None:
    """A fault for each rule that asks for a signer whom the bundle does not name."""
    names = [signer.id for signer in trust.signers]
    for policy in policies:
        for rule in policy.rules:
            asked = rule.params.get("signer", "") if rule.gate == "image" and rule.trigger in SIGNED_TRIGGERS else ""
            for missing in (name for name in split_list(asked) if name not in names):
                faults.add(rule.line, unknown("signer", missing, names, f" in rule {quoted(rule.id)}"))


def trust_document(trust: Trust, *, texts: bool) -> dict[str, Any]:
    """The key ``trust`` as plain data, keys and certificates within; empty where nobody is trusted."""
    signers = []
    for signer in trust.signers:
        said = {"id": signer.id, "key": signer.keys, "roots": signer.roots, "identity": signer.identity}
        said |= {"issuer": signer.issuer, "log": signer.log, "comment": signer.comment if texts else ""}
        signers.append({name: value for name, value in said.items() if value})
    found = {"signers": signers, "vex": list(trust.vex)}
    return {name: value for name, value in found.items() if value}


def _signer(node: Node, ids: Ids, folder: Path | None, faults: Faults) -> Signer:
    fields = Fields(node, "the signer", _SIGNER_KEYS, faults)
    fields.text("id", required=True)
    identity = ids.take(fields, "signer:")
    if "," in identity:
        faults.add(fields.line_of("id"), f"signer id {quoted(identity)} must not hold a comma: rules list signers")
    pem = _Pem(fields, folder, faults)
    keys, roots = pem.read("key", keys_fault, blocks), pem.read("roots", roots_fault, certificate_blocks)
    if fields.valid and fields.has("key") == fields.has("roots"):
        faults.add(fields.line, f'signer {quoted(identity)} needs either "key" or "roots"')
    for name in _OF_CERTIFICATES:
        if fields.has("key") and fields.has(name):
            faults.add(fields.line_of(name), f'{quoted(name)} is for signers by certificate, with "roots"')
    who = fields.text("identity", required=fields.has("roots"))
    if who.strip("*") == "" and who:
        faults.add(fields.line_of("identity"), "such an identity is anybody's: the authority gives certificates to all")
    log = pem.read("log", keys_fault, blocks)
    return Signer(identity, keys, roots, who, fields.text("issuer"), log, fields.line, fields.comment())


class _Pem:
    """Reads keys and certificates, which stand in the bundle or in files beside it."""

    def __init__(self, fields: Fields, folder: Path | None, faults: Faults) -> None:
        self._fields = fields
        self._folder = folder
        self._faults = faults

    def read(self, name: str, fault_of: Callable[[str], str], parts: Callable[[str], tuple[str, ...]]) -> str:
        """The PEM blocks under a key, one after the other; empty where there is no such key, or a fault."""
        written = self._fields.text(name)
        if not written:
            if self._fields.has(name):
                self._faults.add(self._fields.line_of(name), f"{quoted(name)} is empty")
            return ""
        inline = "-----BEGIN" in written
        fault, text = ("", written) if inline else self._file(written)
        fault = fault or fault_of(text)
        if fault:
            self._faults.add(self._fields.line_of(name), f"{quoted(name if inline else written)} {fault}")
            return ""
        return "\n".join(parts(text)) + "\n"

    def _file(self, name: str) -> tuple[str, str]:
        """What is wrong with a file, and its text."""
        folder = self._folder
        if folder is None:
            return "names a file: that works in a bundle that is read from a file; put the PEM text there instead", ""
        if Path(name).is_absolute() or "\0" in name:
            return "must be relative to the bundle", ""
        path = (folder / name).resolve()
        if not path.is_relative_to(folder.resolve()):
            return f"is outside of the bundle's folder {folder.resolve().name}/; move it there", ""
        try:
            with path.open("rb") as file:
                data = file.read(MAX_PEM + 1)
        except OSError as error:
            return f"cannot be read: {error.strerror}", ""
        if len(data) > MAX_PEM:
            return f"has more than {MAX_PEM >> 10} KiB: this is no file of keys", ""
        return "", data.decode("ascii", "replace")
