"""Small samples of every format that an analyzer or a reader of containers takes, made by the builders of their tests.

Truncation and mutation start from them, and so does the corpus of the fuzzer. An analyzer without one fails a test.
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
import zlib
from functools import cache

from tests.analyzers.binary import executables
from tests.analyzers.binary import test_bundle as bundle
from tests.analyzers.binary import test_frozen as frozen
from tests.analyzers.binary import test_nativeimage as nativeimage
from tests.analyzers.binary import test_packagenote as packagenote
from tests.analyzers.binary import test_zipped as zipped
from tests.analyzers.declared.test_asked import CASES as ASKED
from tests.analyzers.declared.test_needed import CASES as GRAPHS
from tests.analyzers.declared.test_plugin import CASES as LOCK_FILES
from tests.analyzers.language import test_assemblies as assemblies
from tests.analyzers.language import test_composer as composer
from tests.analyzers.language import test_conda as conda
from tests.analyzers.language import test_dotnet as dotnet
from tests.analyzers.language import test_gem as gem
from tests.analyzers.language import test_others as others
from tests.analyzers.language import test_pear as pear
from tests.analyzers.language import test_python as python
from tests.analyzers.language import test_r as r
from tests.analyzers.language.jars import classes, jar, manifest, maven
from tests.analyzers.os import rpmdb
from tests.analyzers.os import test_accounts as accounts
from tests.analyzers.os import test_bitnami as bitnami
from tests.analyzers.os import test_chisel as chisel
from tests.analyzers.os import test_distro as distro
from tests.analyzers.os import test_dpkg as dpkg
from tests.analyzers.os import test_kernel as kernel
from tests.analyzers.os import test_pacman as pacman
from tests.analyzers.os import test_portage as portage
from tests.analyzers.os import test_sboms as sboms
from tests.analyzers.os import test_snap as snap
from tests.fuzz.containers import Sample, containers, from_files
from tests.fuzz.documents import document_samples
from tests.fuzz.feeds import feed_samples

CERTIFICATE = base64.b64decode(
    "MIHvMIGioAMCAQICAQcwBQYDK2VwMBYxFDASBgNVBAMMC2V4YW1wbGUub3JnMCAXDTIwMDEwMTAwMDAwMFoYDzIwNTEwMTAxMDAw"
    "MDAwWjAWMRQwEgYDVQQDDAtleGFtcGxlLm9yZzAqMAUGAytlcAMhAAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4oxMw"
    "ETAPBgNVHRMBAf8EBTADAQH/MAUGAytlcANBAOfjew8Uh2nWhsFD1awEQrZ/a+T/ZARG/QgNGzd6aUDB//QNGVnyx4/fwDu7Giij"
    "vO02HX9vXj/wqHSVMHm4OwU="
)
"""Of ``example.org``, signed by itself with an Ed25519 key that counts from 0 to 31."""
ED25519 = bytes.fromhex("302e020100300506032b657004220420") + bytes(range(32))
TOKEN = "ghp_" + "Ab3dE5gH7jK9mN1pQ2sT4vW6yZ8bC0eF2hJ4"


@cache
def samples() -> tuple[Sample, ...]:
    """All of them."""
    of_analyzers = (*_os(), *_languages(), *_others(), *_programs(), *_demanded(), *_lock_files())
    return (*of_analyzers, *containers(), *document_samples(), *feed_samples())


def _os() -> list[Sample]:
    bash = rpmdb.header("bash", "5.1-6.el9", ["/usr/bin/bash", "/usr/bin/sh"])
    libs = rpmdb.header("libs", "3.0-24.el9", epoch=1)
    table = "CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)"
    row = "Microsoft\t(none)\t9\tx86_64\t0\tbash-5.1-1.src.rpm\n"
    apk = "C:Q1x=\nP:musl\nV:1.2.4-r2\nA:x86_64\nS:1\nI:634880\nL:MIT\no:musl\nm:A <a@b.c>\nF:lib\nR:ld.so\n\n"
    list_table = "Desired=Unknown\n||/ Name  Version  Arch\nii  bash  5.1-6  amd64  the shell\n"
    opkg = "Package: a\nVersion: 1\nStatus: install ok installed\nArchitecture: mips\n\n"
    place = "var/db/pkg/dev-libs/openssl-3.0.13-r2"
    return [
        *from_files(
            "distro",
            {
                "etc/os-release": distro.UBUNTU,
                "usr/lib/os-release": distro.ROCKY,
                "etc/redhat-release": "CentOS Linux release 7.9.2009 (Core)\n",
                "etc/alpine-release": "3.19.1\n",
                "bin/busybox": b"\x7fELF" + b"BusyBox v1.36.1 (2024-01-01)",
            },
        ),
        *from_files(
            "sboms",
            {
                "a/bom.json": sboms.cyclonedx("pkg:npm/a@1", "pkg:deb/debian/b@1?distro=debian-12"),
                "var/lib/db/sbom/a.spdx.json": sboms.spdx("pkg:apk/wolfi/a@1-r0"),
                "a/bom.xml": sboms.XML,
                "a/a.spdx": sboms.TAGS,
            },
        ),
        *from_files(
            "dpkg",
            {
                "var/lib/dpkg/status": dpkg.stanza(
                    "libssl3", "3.0.11-1", extra="Source: openssl (3.0)\nInstalled-Size: 4\n"
                ),
                "var/lib/dpkg/status.d/base": "Package: base-files\nVersion: 12.4\nArchitecture: amd64\n",
                "var/lib/dpkg/info/libssl3:amd64.list": "/.\n/usr\n/usr/lib/libssl.so.3\n",
                "var/lib/dpkg/status.d/base.md5sums": "d41d8cd98f00b204e9800998ecf8427e  usr/x\n",
                "usr/share/doc/libssl3/copyright": dpkg.DEP5
                + "License: Apache-2.0\n text\n\nLicense: Expat or GPL-2+\n",
                "usr/lib/opkg/status": opkg,
                "usr/lib/opkg/info/a.control": "Package: a\nVersion: 1\nLicense: MIT\n",
            },
        ),
        *from_files(
            "accounts", {"etc/passwd": accounts.PASSWD, "etc/group": accounts.GROUP, "etc/shadow": accounts.SHADOW}
        ),
        *from_files("apk", {"lib/apk/db/installed": apk * 2}),
        *from_files(
            "rpm",
            {
                "var/lib/rpm/rpmdb.sqlite": rpmdb.sqlite_file(["PRAGMA page_size = 512", table], [bash, libs]),
                "usr/lib/sysimage/rpm/Packages.db": rpmdb.ndb([bash, libs]),
                "var/lib/rpm/Packages": rpmdb.bdb([bash, libs], page=512),
            },
            ends=True,
        ),
        *from_files(
            "rpm",
            {
                "var/lib/rpm/rpmdb.sqlite-wal": rpmdb.wal_log(frames=2, stale=1),
                "usr/share/rpm/Packages": rpmdb.bdb([libs], page=512, order=">", page_type=2),
                "var/lib/rpmmanifest/container-manifest-2": f"bash\t5.1-1\t1\t1\t{row}zlib\t1-1\t1\t1\t{row}",
            },
        ),
        *from_files("pacman", {f"{pacman.PLACE}/desc": pacman.DESC, f"{pacman.PLACE}/files": pacman.FILES}),
        *from_files(
            "portage",
            {
                f"{place}/CONTENTS": portage.CONTENTS,
                f"{place}/LICENSE": "|| ( MIT GPL-2 ) ssl? ( Apache-2.0 )\n",
                f"{place}/SIZE": "4096\n",
            },
        ),
        *from_files("chisel", {"var/lib/chisel/manifest.wall": chisel.wall(chisel.WALL)}, ends=True),
        *from_files(
            "bitnami",
            {
                "opt/bitnami/redis/.spdx-redis.spdx": bitnami.spdx(
                    "pkg:bitnami/redis@7.2.4-0?arch=amd64&distro=debian-12"
                ),
                "opt/bitnami/.bitnami_components.json": json.dumps({"redis": {"arch": "amd64", "version": "7.2.4-0"}}),
            },
            ends=True,
        ),
        *from_files(
            "snap",
            {
                "snap/hello/1/meta/snap.yaml": snap.SNAP,
                "snap/hello/1/snap/manifest.yaml": snap.MANIFEST,
                "usr/share/snappy/dpkg.list": list_table,
            },
        ),
        *from_files(
            "kernel", {"boot/vmlinuz-6.1": _small_kernel("6.1.0-18-amd64"), "lib/modules/6.1.0/modules.dep": "x\n"}
        ),
        # It reads no file: what it is given is what a store path may hold.
        Sample("nix", "nix/store/0c5b8vw40d1178xlpddw65q9gf1h2186-openssl-3.0.13-bin/bin/x", b"x"),
    ]


def _small_kernel(release: str) -> bytes:
    data = kernel.bzimage(release)
    # The text stands as near as the format allows.
    return data[:0x20E] + (0x20).to_bytes(2, "little") + bytes(0x10) + data[0x3200:]


def _languages() -> list[Sample]:
    site = python.SITE
    package = {"name": "@babel/core", "version": "7.24.0", "license": "MIT", "bin": {"babel": "x"}}
    boot = jar(
        {
            "BOOT-INF/lib/guava.jar": jar(
                {**maven("com.google.guava", "guava", "31.1"), **classes("com.google.common", 1)}
            ),
            "META-INF/MANIFEST.MF": "Manifest-Version: 1.0\nImplementation-Title: app\nImplementation-Version: 1.0\n\n",
        },
        stored=True,
    )
    bundle = jar({**manifest(**{"Bundle-SymbolicName": "org.x.y;singleton:=true", "Bundle-Version": "1.2.3"})})
    properties = "groupId=org.x\nartifactId=\\u0061\nversion=1.0\n"
    url = {"url": "https://user:x@example.org/x.git", "vcs_info": {"vcs": "git", "commit_id": "ab"}}
    return [
        *from_files(
            "python",
            {
                f"{site}/requests-2.31.0.dist-info/METADATA": python.metadata(
                    more="License: MIT\n line\nClassifier: License :: x"
                ),
                f"{site}/six.egg-info/PKG-INFO": python.metadata("six", "1.16"),
                f"{site}/requests-2.31.0.dist-info/INSTALLER": "pip\n",
            },
        ),
        *from_files("python", {f"{site}/requests-2.31.0.dist-info/direct_url.json": json.dumps(url)}, ends=True),
        *from_files("npm", {"app/node_modules/@babel/core/package.json": json.dumps(package)}, ends=True),
        *from_files("java", {"app.jar": boot, "y.jar": bundle}, ends=True),
        *from_files("java", {"app/META-INF/maven/org.x/a/pom.properties": properties}),
        *from_files("gem", {f"{gem.SPECIFICATIONS}/nokogiri-1.16.0-x86_64-linux.gemspec": gem.SPEC}),
        *from_files("composer", {composer.PATH: composer.installed(composer.MONOLOG, composer.CONSOLE)}, ends=True),
        *from_files(
            "pear",
            {"php/.registry/.channel.pecl.php.net/redis.reg": pear.REDIS, "php/.registry/o.reg": pear.OLD},
            ends=True,
        ),
        *from_files("dotnet", {"app/shop.deps.json": dotnet.DEPS}, ends=True),
        *from_files("dotnet", {"app/Newtonsoft.Json.dll": assemblies.assembly()}),
        *from_files("r", {"usr/lib/R/library/MASS/DESCRIPTION": r.MASS}),
        *from_files("conda", {"opt/conda/conda-meta/openssl-3.3.0-h4b_3.json": json.dumps(conda.OPENSSL)}, ends=True),
    ]


def _others() -> list[Sample]:
    name = struct.pack("<I", 8) + struct.pack("<Q", 5) + b"llama"
    words = struct.pack("<IIQ", 9, 8, 1) + struct.pack("<Q", 2) + b"ab"
    model = others.gguf([(b"tokens", words), (b"n", struct.pack("<II", 4, 7)), (b"general.name", name)])
    header = json.dumps({"__metadata__": {"modelspec.title": "sd", "modelspec.version": "2"}}).encode()
    meta = "Metadata-Version: 2.1\nName: Flask_Login\nVersion: 0.6\nLicense: MIT\n\nbody\n"
    pnp = '{"packageLocation": "./.yarn/cache/lodash-npm-4.17.21-6382451519-eb835a2e51.zip/node_modules/lodash/"} '
    return [
        *from_files(
            "others",
            {
                "p/.meta/DateTime-1.65/MYMETA.json": json.dumps(
                    {"name": "DateTime", "version": "1.65", "license": ["perl_5"]}
                ),
                "p/.meta/List-Util-1.6/install.json": '{"name": "Scalar::Util", "version": 1.6}',
                "b/Cellar/jq/1.7.1_1/INSTALL_RECEIPT.json": '{"source": {"tap": "homebrew/core"}}',
                "b/app.pex": others.zipped(
                    {".deps/f.whl/Flask_Login-0.6.dist-info/METADATA": meta}, b"#!/usr/bin/python3\n"
                ),
                "a/Six-1.16.egg": others.zipped({"EGG-INFO/PKG-INFO": "Name: six\nVersion: 1.16\n"}),
                "r/app.asar": others.asar({"node_modules/a/package.json": others.manifest("a", "1.0.0")}),
            },
            ends=True,
        ),
        *from_files(
            "others",
            {
                "l/perllocal.pod": "=head2 Tue Jan 2: C<Module> L<Foo::Bar|Foo::Bar>\n\n=over 4\n\nC<VERSION: 1.0>\n",
                "l/rocks-5.4/lpeg/1.1.0-1/lpeg-1.1.0-1.rockspec": 'description = {\n   license = "MIT/X11",\n}\n',
                "e/ebin/jason.app": '{application, jason,\n [{description,"x"},\n  {vsn,"1.4.1"}]}.\n',
                "e/hex_metadata.config": '{<<"name">>,<<"jason">>}.\n{<<"version">>,<<"1.4.1">>}.\n',
                "h/package.conf.d/base-4.17.conf": "name:      base\nversion: 4.17.2.1\nlicense: BSD3\nabi:\n    x\n",
                "o/.opam-switch/packages/lwt.5.7.0/opam": 'opam-version: "2.0"\nlicense: "MIT"\n',
                "c/conaninfo.txt": "[settings]\nos=Linux\n[full_requires]\nzlib/1.2.13:abc\nbzip2/1.0.8@u/s#12:z\n",
                "v/vcpkg/status": "Package: zlib\nVersion: 1.3.1\nPort-Version: 2\nStatus: install ok installed\n\n",
                "w/wp-includes/version.php": "<?php\n$wp_version = '6.4.2';\n",
                "w/wp-content/plugins/hello.php": "<?php\n/* Plugin Name: Hello\nVersion: 1.7.2 */",
                "w/wp-content/themes/twenty/style.css": "/*\nTheme Name: Twenty\nVersion: 1.0\n*/",
                "m/a.gguf": model,
                "m/b.safetensors": struct.pack("<Q", len(header)) + header + bytes(9),
                "y/.pnp.cjs": pnp,
                "n/.nimble/pkgs2/a-1.0-0123456789abcdef0123456789abcdef01234567/a.nimble": 'license = "MIT"\n',
                "d/modules/a/a.info.yml": "name: A\nversion: '8.x-1.3'\nproject: 'a'\n",
            },
        ),
    ]


def _programs() -> list[Sample]:
    modules = (
        "path\texample.org/app\nmod\texample.org/app\tv1.2.3\t\ndep\tgolang.org/x/net\tv0.1.0\th1:x=\n=>\ta/b\tv1\t\n"
    )
    blob = executables.go_blob("go1.21.5", modules + 'build\t-ldflags="-X main.version=1"\n')
    crates = zlib.compress(
        json.dumps({"packages": [{"name": "serde", "version": "1.0.1", "source": "crates.io"}]}).encode()
    )
    sections = {".go.buildinfo": blob, ".dep-v0": crates}
    small = executables.elf(sections, size=0)
    old = executables.old_go("go1.12.9", modules, size=0)  # type: ignore[arg-type]
    return [
        *from_files(
            "binary",
            {
                "app/elf": small,
                "app/noted": packagenote.in_front(packagenote.FEDORA, size=0),
                "app/old": old,
                "app/bundle": bundle.application(pad=0),
                "app/frozen": frozen.FROZEN,
                "app/zipapp": zipped.APPLICATION,
                "app/native": executables.elf({".svm_heap": b"heap", ".data": nativeimage.packed()}, size=0),
                "app/elf32": executables.elf(sections, wide=False, order=">", size=0),
                "app/bare": executables.elf(sections, table=False, size=0),
                "app/pe.exe": _trimmed(executables.pe(sections)),
                "app/macho": _trimmed(executables.macho(sections)),
                "app/fat": _trimmed(executables.universal(_trimmed(executables.macho(sections)))),
                "bin/busybox": small[:64] + b"\0BusyBox v1.36.1 (2024-01-01 00:00:00 UTC)\0",
                "opt/java/release": 'JAVA_VERSION="17.0.9"\n',
            },
        ),
    ]


def _trimmed(program: bytes) -> bytes:
    """A program without the zeros that pad it to the size of a real one."""
    return program.rstrip(b"\0") + bytes(8)


def _demanded() -> list[Sample]:
    hints = {
        "packages": [{"name": "zlib", "version": "1.3.1", "type": "binary", "license": "Zlib", "location": "/opt"}]
    }
    yaml = "packages:\n- {name: zlib, versions: [1.3, 1.2], type: rpm, release: 1}\n- name: &a x\n  version: *a\n"
    key = "-----BEGIN PRIVATE KEY-----\n" + "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC" * 4 + "\n-----END PRIVATE KEY-----\n"
    bash = rpmdb.header("bash", "5.1-6.el9", ["/usr/bin/bash"])
    sums = hashlib.md5(b"x").hexdigest() + "  usr/bin/x\n"
    return [
        *from_files("hints", {"anchore_hints.json": json.dumps(hints)}, ends=True),
        *from_files("hints", {"anchore_hints.yaml": yaml}),
        *from_files(
            "secrets",
            {
                "app/.env": f"TOKEN={TOKEN}\naws_secret_access_key = {'aB3/' * 10}\n{key}",
                ".netrc": "machine a login b password c1d2e3f4\n",
                "c.json": '{"auths": {"x": {"auth": "dXNlcjpzZWNyZXRwYXNz"}}}',
            },
        ),
        *from_files("contents", {"notes": "GPL-2 or later\nx = 1\n"}),
        *from_files("retrieve", {"etc/passwd": "root:x:0:0::/:/bin/sh\n"}),
        *from_files(
            "verify",
            {
                "var/lib/dpkg/info/a.md5sums": sums,
                "var/lib/dpkg/status": dpkg.stanza("a"),
                "usr/bin/x": "x",
                "lib/apk/db/installed": "P:a\nV:1\nF:usr/bin\nR:x\na:0:0:755\nZ:Q1NVMJXEVWNUPLQVVPEF5OWYIOIIM=\n\n",
                "var/lib/rpm/Packages": rpmdb.bdb([bash], page=512),
            },
        ),
        *from_files(
            "unowned",
            {
                "usr/bin/x": executables.elf({}, size=0)[:200],
                "s/a-1.dist-info/RECORD": 'a/b.so,sha256=x,9\n"c,d",,\n',
                "s/x.exe": executables.pe({})[:300],
            },
        ),
        *from_files("malware", {"a": "evil"}),
        *from_files(
            "certificates",
            {
                "etc/ssl/private/a.pem": _pem("CERTIFICATE", CERTIFICATE) + _pem("PRIVATE KEY", ED25519),
                "opt/a.der": CERTIFICATE,
                "opt/a.key": ED25519,
                "opt/cacerts": _key_store("a", CERTIFICATE),
            },
        ),
    ]


def _pem(label: str, data: bytes) -> bytes:
    return f"-----BEGIN {label}-----\n".encode() + base64.encodebytes(data) + f"-----END {label}-----\n".encode()


def _key_store(alias: str, certificate: bytes) -> bytes:
    """A Java key store with one certificate that is trusted."""

    def text(value: str) -> bytes:
        return struct.pack(">H", len(value)) + value.encode()

    entry = struct.pack(">I", 2) + text(alias) + bytes(8) + text("X.509") + struct.pack(">I", len(certificate))
    return struct.pack(">III", 0xFEEDFEED, 2, 1) + entry + certificate + bytes(20)


def _lock_files() -> list[Sample]:
    closed = (".json", "deno.lock", "Pipfile.lock", "composer.lock", ".resolved", "conan.lock", "renv.lock", "bun.lock")
    return [
        Sample("declared", path, data.encode() if isinstance(data, str) else data, path.endswith(closed))
        for path, data in {path: data for path, (data, *_) in (*LOCK_FILES.items(), *ASKED.items())}.items()
    ] + [
        Sample("declared", f"graph/{path}", data.encode(), path.endswith(closed)) for path, (data, _) in GRAPHS.items()
    ]
