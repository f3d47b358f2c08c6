"""One file per gate; ``GATES`` in the package above names them."""
