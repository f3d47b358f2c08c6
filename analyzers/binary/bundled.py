"""Libraries that wheels and other archives carry beside their programs, known by strings, numbers or code in them.

A release's number is taken from the bytes alone: those of the file's name (``libwebp.so.7.1.5``) are mostly the
interface's. Some libraries have theirs in no string but in what a function returns (``WebPGetDecoderVersion``):
on x86-64 and AArch64 that is one constant before a return. Where another function returns a constant that looks the
same, nothing is said.

Not handled: libraries that say it in neither way (FreeType, libldap, ZeroMQ, libjxl, giflib, librdkafka, Snappy).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from anchorecli.analyzers.binary.classifiers import Find, Rule, find
from anchorecli.analyzers.binary.programs import FORKS, OPENSSL

# ── numbers ───────────────────────────────────────────────────────────────────────────────────────────────


def decimal(found: bytes) -> str:
    """Two digits for each part behind the first: ``20914`` is 2.9.14."""
    number = int(found)
    return f"{number // 10000}.{number // 100 % 100}.{number % 100}"


def returned(form: Callable[[int], str]) -> Callable[[bytes], str]:
    """What x86-64 (four bytes) or AArch64 (one or two instructions) loads before it returns, as a version."""

    def read(found: bytes) -> str:
        if found[3] in (0, 1):
            return form(int.from_bytes(found[:4], "little"))
        words = [int.from_bytes(found[place : place + 4], "little") for place in range(0, len(found), 4)]
        halves = [word >> 5 & 0xFFFF for word in words]
        # The register is the result's, and what follows sets its upper half.
        upper = len(words) < 2 or words[1] & 0xFFE0001F == 0x72A00000
        if words[0] & 0xFFE0001F != 0x52800000 or not upper:
            return ""
        return form(halves[0] + (halves[1] << 16 if len(halves) > 1 else 0))

    return read


def _webp(number: int) -> str:
    major, minor, patch = number >> 16, number >> 8 & 255, number & 255
    return f"{major}.{minor}.{patch}" if major in (0, 1) and minor < 30 and patch < 30 and number > 255 else ""


def _brotli(number: int) -> str:
    major, minor, patch = number >> 24, number >> 12 & 0xFFF, number & 0xFFF
    return f"{major}.{minor}.{patch}" if major == 1 and minor < 30 and patch < 30 else ""


def _lcms(number: int) -> str:
    """2160 is 2.16, 2131 is 2.13.1; below are texts of 1.x."""
    if not 2000 <= number < 2500:
        return ""
    return f"2.{number // 10 % 100}" + (f".{number % 10}" if number % 10 else "")


def _postgresql(number: int) -> str:
    """170011 is 17.11; before 10 there were three parts: 90624 is 9.6.24."""
    if 100_000 <= number < 250_000 and number % 10000 < 100:
        return f"{number // 10000}.{number % 10000}"
    return decimal(b"%d" % number) if 90_000 <= number < 90_700 else ""


_RETURNED = "\xc0\x03\x5f\xd6"
"""``ret`` of AArch64."""


def _constant(form: Callable[[int], str], x86: tuple[str, str], arm: tuple[str, str]) -> tuple[Find, Find]:
    """Fixed bytes and pattern for each processor."""
    read = returned(form)
    return (
        find(x86[0], rf"(?s)\xb8(?P<version>{x86[1]})\xc3", sole=True, read=read),
        find(arm[0], rf"(?s)(?P<version>{arm[1]})\xc0\x03\x5f\xd6", sole=True, read=read),
    )


_MOV, _HIGH = r".[\x00-\xff][\x80-\x9f]\x52", r".[\x00-\xff][\xa0-\xbf]\x72"

RETURNED = (
    Rule(
        "libwebp",
        r"libwebp\.so.*|libwebpdecoder\.so.*|libwebpdemux\.so.*|libwebpmux\.so.*",
        _constant(
            _webp,
            ("\x01\0\xc3", r"[\0-\x1d][\0-\x1d]\x01\0"),
            ("\x20\0\xa0\x72\xc0\x03\x5f\xd6", _MOV + r"\x20\0\xa0\x72"),
        ),
        ("webmproject:libwebp",),
        code=True,
        need=(b"\0WebPGet",),
    ),
    Rule(
        "brotli",
        r"libbrotlidec\.so.*|libbrotlienc\.so.*",
        _constant(
            _brotli,
            ("\0\x01\xc3", r"[\0-\x1d][\0-\xff]\0\x01"),
            ("\x20\xa0\x72\xc0\x03\x5f\xd6", _MOV + _HIGH),
        ),
        ("google:brotli",),
        code=True,
        need=(b"coderVersion\0",),
    ),
    Rule(
        "lcms2",
        r"liblcms2\.so.*",
        _constant(_lcms, ("\0\0\xc3", r".[\x07-\x09]\0\0"), ("\x52" + _RETURNED, _MOV)),
        ("littlecms:little_cms_color_engine", "littlecms:little_cms"),
        code=True,
        need=(b"cmsGetEncodedCMMversion\0",),
    ),
    Rule(
        "libpq",
        r"libpq\.so.*",
        _constant(
            _postgresql, ("\0\xc3", r"..[\x01-\x03]\0"), ("\0\xa0\x72" + _RETURNED, _MOV + r"[\x20\x40\x60]\0\xa0\x72")
        ),
        ("postgresql:postgresql",),
        code=True,
        need=(b"PQlibVersion\0",),
    ),
)

# ── strings ───────────────────────────────────────────────────────────────────────────────────────────────


def _by_word(rows: Iterable[tuple[str, str, str, str, tuple[str, ...]]]) -> Iterable[Rule]:
    """Rules of one find each whose word is telling."""
    return (Rule(name, files, (find(word, pattern),), cpes) for name, files, word, pattern, cpes in rows)


def _by_number(rows: Iterable[tuple[str, str, str, str, tuple[str, ...]]]) -> Iterable[Rule]:
    """Rules for files in which but one text looks like a version; a word it begins with, and its expression.

    Numbers behind a bar below are those of symbols (``GLIBC_2.2.5``).
    """
    for name, files, word, version, cpes in rows:
        yield Rule(name, files, (find(word, rf"[^0-9._](?P<version>{version})\0", sole=True),), cpes)


WORDS = tuple(
    _by_word(
        (
            ("libjpeg-turbo", r"libjpeg\.so.*|libturbojpeg\.so.*", "libjpeg-turbo version ",
             r"libjpeg-turbo version <n> \(", ("libjpeg-turbo:libjpeg-turbo",)),
            ("harfbuzz", r"libharfbuzz\.so.*", "\0invalid\0", r"\0invalid\0<3>\0", ("harfbuzz_project:harfbuzz",)),
            ("libavif", r"libavif\.so.*", "\0YUV444\0", r"\0<3>\0YUV444\0", ("aomedia:libavif",)),
            ("aom", r"libaom\.so.*", " AV1 Decoder ", r"AOMedia Project AV1 Decoder v?<3>", ("aomedia:aomedia",)),
            ("libvpx", r"libvpx\.so.*", "WebM Project VP", r"WebM Project VP[89] (?:Enc|Dec)oder v<3>",
             ("webmproject:libvpx",)),
            ("libsndfile", r"libsndfile\.so.*|libsndfile_.*\.so", "libsndfile-", r"libsndfile-<3>",
             ("libsndfile_project:libsndfile",)),
            ("nss", r"libnss3\.so|libnssutil3\.so|libsmime3\.so", "Version: NSS ", r"Version: NSS <n>",
             ("mozilla:nss", "mozilla:network_security_services")),
            ("cyrus-sasl", r"libsasl2\.so.*", "Cyrus SASL\0", r"Cyrus SASL\0<3>\0", ("cyrusimap:cyrus-sasl",)),
            ("proj", r"libproj\.so.*", "\0PROJ ", r"\0PROJ <3>\0", ("osgeo:proj",)),
            ("hdf5", r"libhdf5(?:_serial)?\.so.*", "HDF5 library version: ", r"HDF5 library version: <3>",
             ("hdfgroup:hdf5",)),
            ("netcdf", r"libnetcdf\.so.*", "\0netcdf\0", r"\0netcdf\0<3>\0", ("unidata:netcdf",)),
            ("libgit2", r"libgit2\.so.*", "\0libgit2 ", r"\0libgit2 <3>\0",
             ("libgit2:libgit2", "libgit2_project:libgit2")),
            ("openblas", r"libopenblas[\d._-].*|libopenblasp-r.*|libopenblaso-r.*|libscipy_openblas.*", "OpenBLAS ",
             r"OpenBLAS <n> ", ("openblas_project:openblas",)),
            ("glib", r"libgio-2\.0\.so.*", "<!-- GDBus ", r"<!-- GDBus <3> -->", ("gnome:glib",)),
            ("libevent", r"libevent(?:_core)?(?:-\d\.\d)?\.so.*", "-stable\0", r"\0<3>-stable\0",
             ("libevent_project:libevent",)),
            ("freetds", r"libct\.so.*|libsybdb\.so.*", "freetds v", r"freetds v<n>", ("freetds:freetds",)),
            ("libraw", r"libraw(?:_r)?\.so.*", "-Release\0", r"\0<3>-Release\0", ("libraw:libraw",)),
            ("mbedtls", r"libmbedcrypto\.so.*", "bed TLS ", r"[mM]bed TLS <3>\0", ("arm:mbed_tls",)),
            ("botan", r"libbotan-\d\.so.*", "Botan ", r"Botan <3>", ("botan_project:botan",)),
            ("libpcap", r"libpcap\.so.*", "libpcap version ", r"libpcap version <3>", ("tcpdump:libpcap",)),
            ("flac", r"libFLAC\.so.*", "reference libFLAC ", r"reference libFLAC <3>", ("flac_project:flac",)),
            ("libsoup", r"libsoup-\d\.\d\.so.*", "\0libsoup/", r"\0libsoup/<3>\0", ("gnome:libsoup",)),
            ("libsrtp", r"libsrtp2?\.so.*", "\0libsrtp2 ", r"\0libsrtp2 <3>\0", ("cisco:libsrtp",)),
            ("dbus", r"libdbus-1\.so.*", "\0libdbus ", r"\0libdbus <3>\0", ("freedesktop:dbus",)),
            ("wolfssl", r"libwolfssl\.so.*", "\0wolfSSL ", r"\0wolfSSL <3>\0", ("wolfssl:wolfssl",)),
            ("cups", r"libcups\.so.*", " IPP/", r"CUPS/<3> IPP/", ("openprinting:cups", "apple:cups")),
        )
    )
)  # fmt: skip

NUMBERS = tuple(
    _by_number(
        (
            ("openjpeg", r"libopenjp2\.so.*", "2.", r"2\.\d\.\d{1,2}", ("uclouvain:openjpeg",)),
            ("libheif", r"libheif\.so.*", "1.", r"1\.\d\d\.\d{1,2}", ("struktur:libheif",)),
            ("libde265", r"libde265\.so.*", "1.", r"1\.\d\.\d{1,2}", ("struktur:libde265",)),
            ("dav1d", r"libdav1d\.so.*", "1.", r"1\.\d{1,2}\.\d", ("videolan:dav1d",)),
            ("libsodium", r"libsodium\.so.*", "1.0.", r"1\.0\.\d{1,2}", ("libsodium:libsodium",)),
            ("unixodbc", r"libodbc\.so.*", "2.3.", r"2\.3\.\d{1,2}", ("unixodbc:unixodbc",)),
            ("cairo", r"libcairo\.so.*", "1.1", r"1\.1\d\.\d{1,2}", ("cairographics:cairo",)),
            ("libuv", r"libuv\.so.*", "1.", r"1\.\d{1,2}\.\d{1,2}", ("libuv:libuv",)),
            (
                "c-ares",
                r"libcares\.so.*",
                "1.",
                r"1\.\d{1,2}\.\d{1,2}",
                (
                    "c-ares:c-ares",
                    "c-ares_project:c-ares",
                ),
            ),
            ("file", r"libmagic\.so.*", "5.", r"5\.\d\d", ("file_project:file",)),
            ("libidn2", r"libidn2\.so.*", "2.", r"2\.\d\.\d", ("gnu:libidn2",)),
            ("libtasn1", r"libtasn1\.so.*", "4.", r"4\.\d{1,2}\.\d", ("gnu:libtasn1",)),
            ("gmp", r"libgmp\.so.*", "6.", r"6\.\d\.\d", ("gmplib:gmp",)),
            ("gdk-pixbuf", r"libgdk_pixbuf-2\.0\.so.*", "2.", r"2\.[2-9]\d\.\d{1,2}", ("gnome:gdk-pixbuf",)),
            ("poppler", r"libpoppler\.so.*", "\x002", r"2\d\.\d\d\.\d", ("freedesktop:poppler",)),
            ("exiv2", r"libexiv2\.so.*", "0.", r"0\.\d\d\.\d", ("exiv2:exiv2",)),
            ("libgd", r"libgd\.so.*", "2.", r"2\.\d\.\d{1,2}", ("libgd:libgd",)),
            ("libmicrohttpd", r"libmicrohttpd\.so.*", "0.9.", r"0\.9\.\d\d", ("gnu:libmicrohttpd",)),
            ("pixman", r"libpixman-1\.so.*", "0.", r"0\.\d\d\.\d{1,2}", ("pixman:pixman",)),
            ("apr", r"libapr-1\.so.*", "1.", r"1\.\d\.\d", ("apache:portable_runtime",)),
            ("libyaml", r"libyaml-0\.so.*", "0.", r"0\.\d\.\d", ("pyyaml:libyaml",)),
            ("libzip", r"libzip\.so\.\d.*", "1.", r"1\.\d{1,2}\.\d", ("libzip:libzip",)),
            ("libvips", r"libvips\.so.*", "8.", r"8\.\d{1,2}\.\d", ("libvips:libvips",)),
        )
    )
)

_XML = r"[^0-9](?P<version>2(?:0[4-9]|1\d)\d\d)(?:-[\w.]{1,40})?\0"
_LIBXML2 = (find("21", _XML, sole=True, read=decimal), find("20", _XML, sole=True, read=decimal))
_LIBXSLT = (find("101", r"[^0-9](?P<version>101\d\d)\0", sole=True, read=decimal),)
_ICU = find("<v>.", r"[^0-9.](?P<version><v>\.\d{1,2}(?:\.\d)?)\0", sole=True)
_ICU_CPES = ("icu-project:international_components_for_unicode", "unicode:international_components_for_unicode")

OTHERS = (
    Rule("libxml2", r"libxml2\.so.*", _LIBXML2, ("xmlsoft:libxml2",)),
    Rule("libxslt", r"libxslt\.so.*", _LIBXSLT, ("xmlsoft:libxslt",)),
    Rule("icu", r"libicuuc\.so\.(?P<v>\d{2})(?:\..*)?", (_ICU,), _ICU_CPES),
    Rule(
        "gdal",
        r"libgdal\.so.*",
        (find("\0GDAL/", r"\0GDAL/<3>\0"), find("GDAL ", r"GDAL <3>\0", sole=True)),
        ("osgeo:gdal",),
    ),
    Rule(
        "libjpeg",
        r"libjpeg\.so.*",
        (find("20", r"\0(?P<version>\d{1,2}[a-z]?)  \d{1,2}-[A-Z][a-z]{2}-20\d\d\0", sole=True),),
        ("ijg:libjpeg",),
        unless=(b"libjpeg-turbo",),
    ),
)

# ── what was linked into a wheel's own module ─────────────────────────────────────────────────────────────

_MODULE = r"\.(?:cpython-[\w-]+|abi3)\.so"
_LXML = rf"etree{_MODULE}"

INSIDE = (
    Rule("libxml2:lxml", _LXML, _LIBXML2, ("xmlsoft:libxml2",), need=(b"lxml.etree",), part=True),
    Rule("libxslt:lxml", _LXML, _LIBXSLT, ("xmlsoft:libxslt",), need=(b"lxml.etree",), part=True),
    Rule(
        "openssl:inside",
        r"_rust\.abi3\.so|librdkafka\.so.*",
        (find("\0OpenSSL ", rf"\0OpenSSL {OPENSSL} ?\d"),),
        ("openssl:openssl",),
        unless=FORKS,
        part=True,
    ),
)

BUNDLED = (*RETURNED, *WORDS, *NUMBERS, *OTHERS, *INSIDE)
