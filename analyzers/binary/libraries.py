"""Libraries that are known by strings in them."""

from __future__ import annotations

from anchorecli.analyzers.binary.classifiers import Find, Rule, find
from anchorecli.analyzers.binary.classifiers import simple as _library
from anchorecli.analyzers.binary.programs import FORKS, OPENSSL


def _sole(name: str, files: str, word: str, pattern: str, cpe: str, *need: bytes) -> Rule:
    return Rule(name, files, (find(word, pattern, sole=True),), (cpe,), need=need)


def _number(name: str, files: str, finds: tuple[Find, ...], word: str, version: str, cpe: str) -> Rule:
    """A rule for a library in which the version stands as some builds have it, or anywhere but only once."""
    anywhere = find(word, rf"[^0-9._](?P<version>{version})\0", sole=True)
    return Rule(name, files, (*finds, anywhere), (cpe,))


_FFMPEG = ("avcodec", "avformat", "avutil", "avfilter", "avdevice", "swresample", "swscale")

LIBRARIES = (
    Rule(
        "openssl:library",
        r"libcrypto\.so.*",
        # Enterprise builds of 1.0.2 also have the names of releases whose interface they keep: what the digests say
        # they are a part of is the release itself.
        (find(" part of OpenSSL ", rf" part of OpenSSL {OPENSSL}"), find("OpenSSL ", rf"\0OpenSSL {OPENSSL}")),
        ("openssl:openssl",),
        unless=FORKS,
    ),
    _library("libressl", r"libcrypto\.so.*", "LibreSSL ", r"\0LibreSSL <3>\0", "openbsd:libressl"),
    _library("aws-lc:library", r"libcrypto\.so.*", "AWS-LC ", r"AWS-LC (?:FIPS )?<3>", "amazon:aws_libcrypto"),
    Rule(
        "curl:library",
        r"libcurl(?:-gnutls)?\.so.*",
        (find("libcurl/", r"\0libcurl/<3x>"), find("CLIENT libcurl ", r"\0CLIENT libcurl <3x>\r\n")),
        ("haxx:libcurl", "haxx:curl"),
    ),
    _library(
        "zlib", r"libz\.so.*", " deflate ", r" deflate (?P<version>1\.\d{1,2}(?:\.\d{1,2}){0,3}) Copyright", "zlib:zlib"
    ),
    _number(
        "sqlite",
        r"libsqlite\d?\.so.*",
        (find("\0" + "3.", r"\0(?P<version>3\.\d{1,2}\.\d{1,2})\0"),),
        "3.",
        r"3\.\d{1,2}\.\d{1,2}",
        "sqlite:sqlite",
    ),
    _library(
        "glibc",
        r"libc(?:-\d\.\d+)?\.so(?:\.6)?",
        "GNU C Library ",
        r"GNU C Library [^\0\n]{1,80}release version (?P<version>\d\.\d{1,3}(?:\.\d{1,3})?)",
        "gnu:glibc",
    ),
    _sole(
        "musl",
        r"libc(?:\.musl-\w+)?\.so(?:\.1)?|ld-musl-.*",
        "\0" + "1.",
        r"\0(?P<version>1\.\d\.\d{1,2})\0",
        "musl-libc:musl",
        b"musl libc",
    ),
    _library("libssh", r"libssh\.so.*", "SSH-2.0-libssh_", r"SSH-2\.0-libssh_<3>", "libssh:libssh"),
    _library("expat", r"libexpat\.so.*", "expat_", r"\0expat_<3>\0", "libexpat_project:libexpat"),
    _library("libpng", r"libpng\d*\.so.*", "libpng version ", r"libpng version <3>", "libpng:libpng"),
    _library("libtiff", r"libtiff\.so.*", "LIBTIFF, Version ", r"LIBTIFF, Version <3>", "libtiff:libtiff"),
    _library("gnutls", r"libgnutls\.so.*", "Enabled GnuTLS ", r"Enabled GnuTLS <3>", "gnu:gnutls"),
    _library("bzip2", r"libbz2\.so.*", "-20", r"\0(?P<version>1\.0\.\d), \d{1,2}-[A-Z][a-z]{2,3}-20\d\d", "bzip:bzip2"),
    _library(
        "pcre2", r"libpcre2-(?:8|16|32)\.so.*", " 20", r"\0(?P<version>10\.\d{1,2}) 20\d\d-\d\d-\d\d\0", "pcre:pcre2"
    ),
    _library(
        "pcre", r"libpcre(?:16|32)?\.so.*", " 20", r"[^0-9.](?P<version>8\.\d{1,2}) 20\d\d-\d\d-\d\d\0", "pcre:pcre"
    ),
    _library("libarchive", r"libarchive\.so.*", "\0libarchive ", r"\0libarchive <3>", "libarchive:libarchive"),
    _library("libgcrypt", r"libgcrypt\.so.*", "This is Libgcrypt ", r"This is Libgcrypt <3>", "gnupg:libgcrypt"),
    _library("libssh2", r"libssh2\.so.*", "libssh2_", r"SSH-2\.0-libssh2_<3>", "libssh2:libssh2"),
    _library("krb5", r"libkrb5\.so.*", "KRB5_BRAND: ", r"KRB5_BRAND: krb5-<n>-final", "mit:kerberos_5"),
    _library(
        "heimdal-krb5", r"libkrb5\.so.*", "$Version: Heimdal ", r"\$Version: Heimdal <3> \$", "heimdal_project:heimdal"
    ),
    Rule(
        "qtbase",
        r"libQt\dCore\.so.*|libQtCore\.so.*",
        (find("Qt ", r"\0Qt <3> \("), find("QtCore library version ", r"QtCore library version <3>")),
        ("qt:qt", "qt:qtbase"),
    ),
    _library("sqlcipher:library", r"libsqlcipher\.so.*", "\0community\0", r"\0community\0<3>\0", "zetetic:sqlcipher"),
    _library(
        "ffmpeg:library",
        "|".join(rf"lib{each}(?:-ffmpeg)?\.so.*" for each in _FFMPEG),
        "FFmpeg version ",
        r"FFmpeg version n?<n>",
        "ffmpeg:ffmpeg",
    ),
    _library(
        "imagemagick",
        r"libMagickCore-.*\.so.*",
        "ImageMagick ",
        r"ImageMagick (?P<version>\d\.\d{1,2}\.\d{1,2}-\d{1,3}) ",
        "imagemagick:imagemagick",
    ),
    _library("lua:library", r"liblua.*\.so.*", "$LuaVersion: ", r"\$LuaVersion: Lua <3> ", "lua:lua"),
    _sole("zstd:library", r"libzstd\.so.*", "1.", r"[^0-9._](?P<version>1\.\d\.\d{1,2})\0", "facebook:zstandard"),
    _sole("lz4", r"liblz4\.so.*", "\0" + "1.", r"\0(?P<version>1\.\d{1,2}\.\d)\0", "lz4_project:lz4"),
    _sole("xz:library", r"liblzma\.so.*", "\0" + "5.", r"\0(?P<version>5\.\d\.\d{1,2}(?:alpha|beta)?)\0", "tukaani:xz"),
    _sole("nghttp2", r"libnghttp2\.so.*", "1.", r"[^0-9._](?P<version>1\.\d{1,3}\.\d)\0", "nghttp2:nghttp2"),
)
