"""X.509 certificates and private keys: whose, until when, of what kind, and where; never a key itself.

The roots that a system or a runtime trusts come by the hundred: a file with many certificates is one store, and so are
the authorities below a directory that holds nothing else (``/usr/share/ca-certificates``). Their number and the first
day one of them ends are told.

Format: PEM (RFC 7468, RFC 1421 for encrypted keys), DER (``x509.py``), PKCS#7 bundles of certificates (RFC 2315),
PKCS#12 (RFC 7292), Java key stores (magic ``feedfeed``, and ``cececece`` of JCEKS), OpenSSH's private keys
(PROTOCOL.key in its sources).

Asked for by: a rule of the gate ``certificates``, ``--certificates``, the setting ``certificates``.

Emits: certificates, stores of certificates, private keys.

Not handled: files whose name and directory tell nothing of certificates (credentials are looked for everywhere by
``--secrets``), what is encrypted in a PKCS#12 file, NSS databases, certificates inside of archives. Signatures are not
verified.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

from anchorecli.analyzers.base import Fact, Found, LayerFile, View, Wants, partial
from anchorecli.analyzers.demand.keyrings import Findings, containers, pem
from anchorecli.model import Certificate, CertificateStore, ImagePath, Json, PrivateKey
from anchorecli.values import dataclass

MAX_BYTES = 4 * 1024 * 1024
MANY = 16
"""A file with so many certificates is a store."""

ROOTS = (
    "usr/share/ca-certificates/",
    "usr/share/ca-certs/",
    "usr/share/pki/",
    "etc/ssl/certs/",
    "etc/pki/ca-trust/",
    "etc/pki/tls/certs/",
    "etc/ca-certificates/extracted/",
    "var/lib/ca-certificates/",
)
"""Where systems keep the authorities they trust; what somebody adds stands in ``/usr/local/share`` and is listed."""

_SUFFIXES = frozenset(
    ".pem .crt .cer .cert .der .key .p7b .p7c .p12 .pfx .jks .jceks .keystore .truststore .ks .pk8 .p8".split()
)
_NAMES = frozenset(
    "cacerts id_rsa id_dsa id_ecdsa id_ed25519 id_ecdsa_sk id_ed25519_sk ssh_host_rsa_key ssh_host_dsa_key "
    "ssh_host_ecdsa_key ssh_host_ed25519_key".split()
)
_PARENTS = frozenset("certs cert private ssl tls pki anchors .ssh ca-certificates keys".split())


@dataclass(frozen=True, slots=True)
class CertificateAnalyzer:
    """Certificates and keys. A fact is ``certificates`` (rows of ``x509.Described``), ``keys`` (rows of line, kind and
    whether it is encrypted) and ``store`` (number, first and last end), each only where there is one."""

    name: str = "certificates"
    version: int = 1
    options: str = ""
    wants: Wants = Wants(
        names=_NAMES,
        suffixes=_SUFFIXES,
        parents=_PARENTS,
        match=lambda path, size, mode: size > 0,
        max_bytes=MAX_BYTES,
    )

    @classmethod
    def of(cls, options: str, _scanner: object = None) -> Self:
        """The analyzer; it has no options."""
        return cls(options=options)

    def read(self, file: LayerFile) -> Json | None:
        """What one file holds."""
        found = read(file.data())
        fact: dict[str, Json] = {}
        if len(found.certificates) >= MANY:
            ends = sorted(each.not_after for each in found.certificates)
            fact["store"] = [len(ends), ends[0], ends[-1]]
        elif found.certificates:
            fact["certificates"] = [list(each) for each in found.certificates]
        if found.keys:
            fact["keys"] = [list(each) for each in found.keys]
        return partial(fact or None, "; ".join(found.faults)) if found.faults else fact or None

    def assemble(self, view: View) -> Found:
        """Those of visible files; the roots of a directory are a store."""
        certificates: list[Certificate] = []
        stores: list[CertificateStore] = []
        keys: list[PrivateKey] = []
        roots: dict[tuple[str, int], list[str]] = {}
        for fact in view.facts():
            layer = view.diff_id(fact.layer)
            for certificate in _certificates(view, fact):
                if certificate.authority and fact.path.startswith(ROOTS):
                    directory = fact.path.rpartition("/")[0]
                    roots.setdefault((directory, fact.layer), []).append(certificate.not_after)
                else:
                    certificates.append(certificate)
            if "store" in fact.value:
                stores.append(CertificateStore(*(fact.path, *fact.value["store"], layer)))
            keys += (PrivateKey(*(fact.path, *row, layer)) for row in fact.value.get("keys", ()))
        for (directory, number), ends in roots.items():
            place = ImagePath(directory)
            stores.append(CertificateStore(place, len(ends), min(ends), max(ends), view.diff_id(number)))
        said = f"{len(certificates)} certificates, {len(stores)} stores, {len(keys)} private keys"
        return Found(
            certificates=tuple(certificates),
            certificate_stores=tuple(stores),
            private_keys=tuple(keys),
            looked_for={"certificates": said},
        )


def read(data: bytes) -> Findings:
    """What a file's content holds, whatever its name says."""
    return pem(data) if b"-----BEGIN " in data else containers(data)


def _certificates(view: View, fact: Fact) -> Iterator[Certificate]:
    for number, row in enumerate(fact.value.get("certificates", ()), 1):
        yield Certificate(*(fact.path, number, *row, view.diff_id(fact.layer)))
