"""Signatures of images and attestations, checked against signers that a bundle names; pure.

Nothing is trusted for being signed: only for being signed by somebody the bundle names, and for saying that it is about
this image. What cannot be checked is told as such. ``cryptography`` is needed (the extra ``signing``).
"""

from anchorecli.signatures.values import NO_TRUST, Signer, Trust

__all__ = ["NO_TRUST", "Signer", "Trust"]
