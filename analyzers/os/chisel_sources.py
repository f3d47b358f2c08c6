"""The source packages of the binary packages that chisel has slices of: a manifest does not name them.

Only packages whose source is certain from the name stand here, for Ubuntu 20.04 to 24.10 (a ``t64`` behind a library's
name is that of the wide time type, the same source).
"""

from __future__ import annotations

import re
from functools import cache

_SOURCES = """
acl: libacl1
apt: libapt-pkg6.0
attr: libattr1
audit: libaudit1 libaudit-common
base-files: base-files
base-passwd: base-passwd
bash: bash
brotli: libbrotli1
bzip2: bzip2 libbz2-1.0
ca-certificates: ca-certificates
coreutils: coreutils
cron: cron
curl: curl libcurl4 libcurl3-gnutls
cyrus-sasl2: libsasl2-2 libsasl2-modules libsasl2-modules-db
dash: dash
db5.3: libdb5.3
debconf: debconf
debianutils: debianutils
diffutils: diffutils
dpkg: dpkg
e2fsprogs: libcom-err2 libext2fs2 libss2 e2fsprogs
elfutils: libelf1 libdw1
expat: libexpat1
findutils: findutils
fontconfig: libfontconfig1 fontconfig-config
freetype: libfreetype6
gawk: gawk
gdbm: libgdbm6 libgdbm-compat4
git: git
glib2.0: libglib2.0-0
glibc: libc6 libc-bin libc6-dev libc-dev-bin locales nscd
gmp: libgmp10
gnutls28: libgnutls30
graphite2: libgraphite2-3
grep: grep
gzip: gzip
harfbuzz: libharfbuzz0b
hostname: hostname
icu: libicu66 libicu70 libicu72 libicu74
iproute2: iproute2
jansson: libjansson4
jq: jq libjq1
json-c: libjson-c5
keyutils: libkeyutils1
krb5: libgssapi-krb5-2 libk5crypto3 libkrb5-3 libkrb5support0
libbsd: libbsd0
libcap-ng: libcap-ng0
libcap2: libcap2 libcap2-bin
libedit: libedit2
libffi: libffi7 libffi8
libgcrypt20: libgcrypt20
libgpg-error: libgpg-error0
libidn2: libidn2-0
libjpeg-turbo: libjpeg-turbo8
libmaxminddb: libmaxminddb0
libmd: libmd0
libnsl: libnsl2
libonig: libonig5
libpng1.6: libpng16-16
libpsl: libpsl5
libseccomp: libseccomp2
libselinux: libselinux1
libsemanage: libsemanage2
libsepol: libsepol2
libssh: libssh-4 libssh-gcrypt-4
libtasn1-6: libtasn1-6
libtirpc: libtirpc3 libtirpc-common
libunistring: libunistring2 libunistring5
libuv1: libuv1
libxcrypt: libcrypt1
libxml2: libxml2
libxslt: libxslt1.1
libyaml: libyaml-0-2
libzstd: libzstd1 zstd
logrotate: logrotate
lttng-ust: liblttng-ust1 liblttng-ust-common1 liblttng-ust-ctl5
lua5.4: lua5.4 liblua5.4-0
lz4: liblz4-1
mawk: mawk
media-types: media-types
mpdecimal: libmpdec3 libmpdec2
ncurses: libncurses6 libncursesw6 libtinfo6 ncurses-base ncurses-bin
netbase: netbase
nettle: libnettle8 libhogweed6
nghttp2: libnghttp2-14
nginx: nginx nginx-common
numactl: libnuma1
openldap: libldap-2.5-0 libldap2 libldap-common
openssh: openssh-client openssh-server
openssl: openssl libssl1.1 libssl3
p11-kit: libp11-kit0
pam: libpam0g libpam-modules libpam-modules-bin libpam-runtime
pcre2: libpcre2-8-0
pcre3: libpcre3
perl: perl perl-base
popt: libpopt0
procps: procps libproc2-0 libprocps8
publicsuffix: publicsuffix
python3-defaults: python3 python3-minimal libpython3-stdlib
readline: libreadline8 readline-common
redis: redis-server redis-tools
rtmpdump: librtmp1
sed: sed
sensible-utils: sensible-utils
shadow: login passwd
snappy: libsnappy1v5
sqlite3: libsqlite3-0 sqlite3
systemd: libsystemd0 libudev1 systemd udev
sysvinit: sysvinit-utils
tar: tar
tzdata: tzdata tzdata-legacy
ubuntu-keyring: ubuntu-keyring
util-linux: util-linux libblkid1 libmount1 libsmartcols1 libuuid1 mount bsdutils
wget: wget
xxhash: libxxhash0
xz-utils: liblzma5 xz-utils
zlib: zlib1g
"""
_NUMBERED = re.compile(
    r"(?:lib)?(python3\.\d+)(?:-minimal|-stdlib|-venv|-distutils)?"
    r"|(openjdk-\d+)-(?:jre|jdk)(?:-headless|-zero)?"
    r"|(dotnet)-(?:runtime|host|hostfxr|sdk)-(\d+)\.\d+|aspnetcore-runtime-(\d+)\.\d+"
)
_COMPILERS = frozenset({"libgcc-s1", "libstdc++6", "libgomp1", "libatomic1", "libitm1", "libquadmath0", "libgfortran5"})


def source_of(name: str, version: str) -> str:
    """The source package of a binary package, empty where it is not known."""
    plain = name.removesuffix("t64")
    if plain in _COMPILERS:
        # The compiler's libraries are built by the newest one of a release: 12.3.0-1ubuntu1~22.04 by gcc-12.
        return f"gcc-{version.partition('.')[0]}"
    known = _table().get(plain, "")
    if known or not (found := _NUMBERED.fullmatch(plain)):
        return known
    return found[1] or found[2] or f"dotnet{found[4] or found[5]}"


@cache
def _table() -> dict[str, str]:
    lines = (line.partition(": ") for line in _SOURCES.strip().splitlines())
    return {name: source for source, _, names in lines for name in names.split()}
