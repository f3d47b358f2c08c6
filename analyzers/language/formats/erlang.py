"""Erlang applications and Hex packages.

Format: https://www.erlang.org/doc/apps/kernel/app.html , ``{application, jason, [{vsn,"1.4.1"}, …]}.``; Hex's
``hex_metadata.config`` (https://github.com/hexpm/specifications/blob/main/package_metadata.md),
``{<<"version">>,<<"1.4.1">>}.``.

An application that is none of Erlang/OTP's or Elixir's own is taken for the Hex package of its name, as releases carry
them; the image's own application looks the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from anchorecli.analyzers.binary.cpe import cpe
from anchorecli.analyzers.language.core_metadata import printable
from anchorecli.analyzers.language.rows import Row, row

OWN = frozenset(
    """
    asn1 common_test compiler crypto debugger dialyzer diameter edoc eldap erl_docgen erl_interface erts et eunit ftp
    inets jinterface kernel megaco mnesia observer odbc os_mon parsetools public_key reltool runtime_tools sasl snmp ssh
    ssl stdlib syntax_tools tftp tools wx xmerl hipe cosEvent cosEventDomain cosFileTransfer cosNotification cosProperty
    cosTime cosTransactions orber ic otp_mibs percept test_server typer webtool gs elixir eex ex_unit iex logger mix
    """.split()
)
"""Applications that come with Erlang/OTP or Elixir."""
SERVERS = {
    "rabbit": ("rabbitmq", "vmware:rabbitmq"),
    "couch": ("couchdb", "apache:couchdb"),
    "ejabberd": ("ejabberd", "process-one:ejabberd"),
    "emqx": ("emqx", "emqx:emqx"),
}
"""Applications that are a server's own: its name, and ``vendor:product``."""


def read(path: str, data: bytes) -> Iterator[Row]:
    """The application or package of one file."""
    text = printable(data[:1_000_000])
    if path.endswith(".config"):
        fields = dict(re.findall(r'\{<<"(name|version)">>,\s*<<"([^"]{1,200})"(?:/utf8)?>>\}', text))
        licences = re.search(r'\{<<"licenses">>,\s*\[([^\]]{0,500})\]', text)
        if "name" in fields and "version" in fields:
            names = re.findall(r'<<"([^"]+)"', licences[1]) if licences else []
            yield row("hex", fields["name"], fields["version"], licenses=names, place=path.rpartition("/")[0])
        return
    name = re.search(r"\{\s*application\s*,\s*'?([A-Za-z][\w@]{0,200})'?\s*,", text)
    version = re.search(r'\{\s*vsn\s*,\s*"([^"\s]{1,200})"\s*\}', text)
    # %VSN% and {cmd, …}: a source's template.
    if name and version and "%" not in version[1]:
        if name[1] in SERVERS:
            program, product = SERVERS[name[1]]
            yield row("generic", program, version[1], cpe=cpe(product, version[1]), metadata={"kind": "program"})
            return
        kind = "otp" if name[1] in OWN else "hex"
        # deps/jason/hex_metadata.config and deps/jason/ebin/jason.app are one package.
        yield row(kind, name[1], version[1], place=path.rpartition("/ebin/")[0])
