"""Perl distributions that a CPAN client installed.

Format: https://metacpan.org/pod/CPAN::Meta::Spec (``MYMETA.json``: ``name``, ``version``, ``license``), which cpanm
leaves in ``.meta``; ``perllocal.pod``, to which ExtUtils::MakeMaker and Module::Build append each installation::

    =head2 Tue Jan  2 03:04:05 2024: C<Module> L<Foo::Bar|Foo::Bar>
    C<VERSION: 1.23>

The latter tells the module, which may be called otherwise than its distribution (List::Util of Scalar-List-Utils):
cpanm's ``install.json``, beside the former, tells which (``name``, ``version``).

Not handled: distributions with a ``.packlist`` alone, which has no version.
"""

from __future__ import annotations

from collections.abc import Iterator

from anchorecli.analyzers.documents import read_json
from anchorecli.analyzers.language.core_metadata import printable
from anchorecli.analyzers.language.rows import Row, row

_LICENSES = {
    "perl_5": "Artistic-1.0-Perl OR GPL-1.0-or-later",
    "apache_2_0": "Apache-2.0",
    "artistic_1": "Artistic-1.0",
    "artistic_2": "Artistic-2.0",
    "bsd": "BSD-3-Clause",
    "freebsd": "BSD-2-Clause",
    "gpl_1": "GPL-1.0-only",
    "gpl_2": "GPL-2.0-only",
    "gpl_3": "GPL-3.0-only",
    "lgpl_2_1": "LGPL-2.1-only",
    "lgpl_3_0": "LGPL-3.0-only",
    "mit": "MIT",
    "mozilla_1_1": "MPL-1.1",
    "zlib": "Zlib",
}


def read(path: str, data: bytes) -> Iterator[Row]:
    """The distribution of a MYMETA.json, or each of a perllocal.pod in its last version.

    Of an ``install.json`` a row that is no package: the name under which perllocal.pod has the same once more.

    Raises:
        ValueError: no JSON object with a name and a version.
    """
    if path.endswith(".pod"):
        yield from _installed(printable(data))
        return
    document = read_json(data, str)
    found = [document.get(key) for key in ("name", "version")] if isinstance(document, dict) else []
    texts = [printable(text).strip() for text in found if isinstance(text, str)]
    if len(texts) != 2 or not all(texts):
        raise ValueError("no name and version in it")
    name, version = texts
    if path.endswith("/install.json"):
        # Its version is a number, which of v1.2.3 and of 1.10 is another text.
        module, (distribution, _, release) = name.replace("::", "-"), path.split("/")[-2].rpartition("-")
        if distribution != module:
            yield row("cpan", module, release, hidden=True)
        return
    licences = document.get("license")
    known = (
        [_LICENSES.get(each, printable(each)) for each in licences if isinstance(each, str)]
        if isinstance(licences, list)
        else []
    )
    # .../site_perl/5.36.0/x86_64-linux-gnu/.meta/NAME-VERSION/MYMETA.json; perllocal.pod may tell of it too.
    yield row("cpan", name, version, licenses=[each for each in known if each != "unknown"], place="cpan")


def _installed(text: str) -> Iterator[Row]:
    last: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        if line.startswith("=head2 "):
            name = line.partition("C<Module> L<")[2].partition("|")[0].strip().replace("::", "-")
        elif name and line.startswith("C<VERSION: "):
            last[name] = line.removeprefix("C<VERSION: ").rstrip(">").strip()
    for each, version in last.items():
        if version:
            yield row("cpan", each, version, place="cpan")
