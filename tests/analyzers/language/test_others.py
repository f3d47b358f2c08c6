"""Installed packages of the smaller ecosystems, each by the files its own tool writes."""

from __future__ import annotations

import io
import json
import struct
import zipfile

import pytest

from anchorecli.analyzers.language.others import Others, format_of
from anchorecli.analyzers.ownership import link_owners
from anchorecli.values import replace
from tests.analyzers.view import make_view


def find(files):
    analyzer = Others()
    view = make_view(analyzer, [files])
    return view, analyzer.assemble(view)


def purls(files):
    return sorted(package.purl for package in find(files)[1].packages)


def test_perl():
    meta = {"name": "DateTime", "version": "1.65", "license": ["artistic_2"]}
    pod = (
        "=head2 Tue Jan  2 03:04:05 2024: C<Module> L<Foo::Bar|Foo::Bar>\n\n=over 4\n\nC<VERSION: 1.0>\n\n"
        "=head2 Wed Jan  3 03:04:05 2024: C<Module> L<Foo::Bar|Foo::Bar>\n\nC<VERSION: 1.23>\n"
        "=head2 Wed Jan  3 03:04:05 2024: C<Module> L<DateTime|DateTime>\n\nC<VERSION: 1.65>\n"
    )
    _, found = find({
        "usr/local/share/perl/5.36.0/x86_64/.meta/DateTime-1.65/MYMETA.json": json.dumps(meta),
        "usr/local/lib/perl/5.36.0/perllocal.pod": pod,
        "root/src/MYMETA.json": json.dumps(meta),
    })  # fmt: skip
    assert sorted(package.purl for package in found.packages) == ["pkg:cpan/DateTime@1.65", "pkg:cpan/Foo-Bar@1.23"]
    assert {package.licenses for package in found.packages} >= {()}


def test_a_module_whose_distribution_is_called_otherwise_is_listed_once():
    meta = "usr/local/lib/perl5/x86_64-linux/.meta"
    pod = "".join(
        f"=head2 Tue Jan  2 03:04:05 2024: C<Module> L<{name}|{name}>\nC<VERSION: {version}>\n"
        for name, version in (
            *(("List::Util", "1.60"), ("Try::Tiny", "0.31"), ("Path::Tiny", "0.144"), ("A::B", "v2.18.1")),
        )
    )
    files = {
        f"{meta}/Scalar-List-Utils-1.60/MYMETA.json": '{"name": "Scalar-List-Utils", "version": "1.60"}',
        f"{meta}/Scalar-List-Utils-1.60/install.json": '{"name": "List::Util", "version": 1.60}',
        f"{meta}/A-B-Utils-2.18.1/MYMETA.json": '{"name": "A-B-Utils", "version": "v2.18.1"}',
        f"{meta}/A-B-Utils-2.18.1/install.json": '{"name": "A::B", "version": 2.018001}',
        f"{meta}/Try-Tiny-0.31/MYMETA.json": '{"name": "Try-Tiny", "version": "0.31"}',
        f"{meta}/Try-Tiny-0.31/install.json": '{"name": "Try::Tiny", "version": "0.31"}',
        "usr/local/lib/perl5/x86_64-linux/perllocal.pod": pod,
    }
    names = "A-B-Utils@v2.18.1 Path-Tiny@0.144 Scalar-List-Utils@1.60 Try-Tiny@0.31"
    assert purls(files) == [f"pkg:cpan/{each}" for each in names.split()]
    # A newer one that make installed is another.
    newer = files | {"usr/local/lib/perl5/x86_64-linux/perllocal.pod": pod.replace("1.60", "1.63")}
    assert "pkg:cpan/List-Util@1.63" in purls(newer)


def test_perl_without_a_version_is_a_problem():
    view, found = find({"a/.meta/x/MYMETA.json": '{"name": "x"}', "b/.meta/x/MYMETA.json": "["})
    assert found.packages == () and len(view.read_problems) == 2


def test_lua():
    place = "usr/local/lib/luarocks/rocks-5.4/lpeg/1.1.0-1"
    files = {
        f"{place}/lpeg-1.1.0-1.rockspec": 'description = {\n   license = "MIT/X11",\n}\n',
        "src/a-1-1.rockspec": "",
    }
    _, found = find(files)
    (package,) = found.packages
    assert (package.purl, package.licenses) == ("pkg:luarocks/lpeg@1.1.0-1", ("MIT/X11",))


def test_erlang_and_elixir():
    app = '{application, jason,\n [{description,"x"},\n  {vsn,"1.4.1"}]}.\n'
    assert purls({
        "usr/lib/erlang/lib/ssl-11.0/ebin/ssl.app": '{application, ssl, [{vsn, "11.0"}]}.',
        "app/lib/jason-1.4.1/ebin/jason.app": app,
        "app/deps/jason/hex_metadata.config": '{<<"name">>,<<"jason">>}.\n{<<"version">>,<<"1.4.1">>}.\n',
        "app/deps/jason/ebin/jason.app": app,
        "src/ebin/x.app": '{application, x, [{vsn, "%VSN%"}]}.',
    }) == ["pkg:hex/jason@1.4.1", "pkg:hex/jason@1.4.1", "pkg:otp/ssl@11.0"]  # fmt: skip


def test_haskell_opam_homebrew():
    switch = "home/o/.opam/5.1/.opam-switch/packages/lwt.5.7.0/opam"
    assert purls({
        "usr/lib/ghc/package.conf.d/base-4.17.conf": "name:      base\nversion: 4.17.2.1\nlicense: BSD3\nabi:\n    x\n",
        "etc/package.conf.d/other.conf": "a=b\n",
        switch: 'opam-version: "2.0"\nlicense: "MIT"\n',
        "home/linuxbrew/.linuxbrew/Cellar/jq/1.7.1_1/INSTALL_RECEIPT.json": '{"source": {"tap": "homebrew/core"}}',
    }) == ["pkg:brew/jq@1.7.1_1", "pkg:hackage/base@4.17.2.1", "pkg:opam/lwt@5.7.0"]  # fmt: skip


def test_conan_and_vcpkg():
    info = "[settings]\nos=Linux\n[requires]\nzlib/1.Y.Z\n[full_requires]\nzlib/1.2.13:abc\nbzip2/1.0.8@u/stable#12:z\n"
    status = (
        "Package: zlib\nVersion: 1.3.1\nPort-Version: 2\nArchitecture: x64-linux\nStatus: install ok installed\n\n"
        "Package: zlib\nFeature: core\nStatus: install ok installed\n\n"
        "Package: gone\nVersion: 1\nStatus: purge ok not-installed\n"
    )
    _, found = find({
        "root/.conan/data/libpng/1.6.40/_/_/package/0f/conaninfo.txt": info,
        "opt/vcpkg/installed/vcpkg/status": status,
        "var/lib/dpkg/status": status,
    })  # fmt: skip
    assert sorted(package.purl for package in found.packages) == [
        "pkg:conan/bzip2@1.0.8", "pkg:conan/libpng@1.6.40", "pkg:conan/zlib@1.2.13", "pkg:vcpkg/zlib@1.3.1",
    ]  # fmt: skip
    metadata = {package.purl: package.metadata for package in found.packages}
    assert metadata["pkg:conan/bzip2@1.0.8"] == {"user": "u", "channel": "stable"}
    assert metadata["pkg:vcpkg/zlib@1.3.1"] == {"triplet": "x64-linux", "port-version": "2"}


def test_wordpress():
    plugin = "<?php\n/**\n * Plugin Name: Akismet Anti-spam\n * Version: 5.3\n * License: GPLv2 or later\n */\n"
    _, found = find({
        "var/www/html/wp-includes/version.php": "<?php\n$wp_version = '6.4.2';\n",
        "var/www/html/wp-content/plugins/akismet/akismet.php": plugin,
        "var/www/html/wp-content/plugins/akismet/class.php": "<?php // Version: 9\n",
        "var/www/html/wp-content/plugins/akismet/views/deep.php": plugin,
        "var/www/html/wp-content/plugins/hello.php": "<?php\n/* Plugin Name: Hello\nVersion: 1.7.2 */",
        "var/www/html/wp-content/themes/twenty/style.css": "/*\nTheme Name: Twenty\nVersion: 1.0\n*/",
        "var/www/html/wp-content/themes/twenty/css/style.css": "/*\nTheme Name: Twenty\nVersion: 2.0\n*/",
    })  # fmt: skip
    assert sorted((each.type, each.name, each.version) for each in found.packages) == [
        ("generic", "wordpress", "6.4.2"),
        ("wordpress-plugin", "akismet", "5.3"),
        ("wordpress-plugin", "hello", "1.7.2"),
        ("wordpress-theme", "twenty", "1.0"),
    ]
    assert "pkg:generic/wordpress-plugin/akismet@5.3" in {each.purl for each in found.packages}


def gguf(pairs):
    def text(value):
        return struct.pack("<Q", len(value)) + value

    return b"GGUF" + struct.pack("<IQQ", 3, 0, len(pairs)) + b"".join(text(key) + value for key, value in pairs)


def test_models():
    name = struct.pack("<I", 8) + struct.pack("<Q", 5) + b"llama"
    number, words = struct.pack("<II", 4, 7), struct.pack("<IIQ", 9, 8, 1) + struct.pack("<Q", 2) + b"ab"
    header = json.dumps({"__metadata__": {"modelspec.title": "sd", "modelspec.version": "2"}}).encode()
    _, found = find({
        "m/a.gguf": gguf([(b"general.quantization", number), (b"tokens", words), (b"general.name", name)]),
        "m/b.safetensors": struct.pack("<Q", len(header)) + header + bytes(99),
        "m/c.gguf": b"GGUF" + b"\xff" * 99,
        "m/d.safetensors": b"\xff" * 99,
    })  # fmt: skip
    assert sorted((each.type, each.name, each.version) for each in found.packages) == [
        ("ml-model", "llama", "unknown"),
        ("ml-model", "sd", "2"),
    ]


def test_yarns_plug_n_play():
    zip_ = "./.yarn/cache/lodash-npm-4.17.21-6382451519-eb835a2e51.zip"
    scoped = "./.yarn/cache/@babel-core-npm-7.1.0-aaaaaaaaaa-bbbbbbbbbb.zip"
    text = f'{{"packageLocation": "{zip_}/node_modules/lodash/"}} '
    text += f'\\"packageLocation\\": \\"{scoped}/node_modules/@babel/core/\\"'
    files = {"app/.pnp.cjs": text, "app/.yarn/cache/lodash-npm-4.17.21-6382451519-eb835a2e51.zip": "PK"}
    assert purls(files) == ["pkg:npm/lodash@4.17.21"]
    files["app/" + scoped.removeprefix("./")] = "PK"
    assert purls(files) == ["pkg:npm/%40babel/core@7.1.0", "pkg:npm/lodash@4.17.21"]


def zipped(members, before=b""):
    out = io.BytesIO(before)
    out.seek(0, io.SEEK_END)
    with zipfile.ZipFile(out, "a") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return out.getvalue()


def test_python_in_zip_files():
    meta = "Metadata-Version: 2.1\nName: Flask_Login\nVersion: 0.6\nLicense: MIT\n\nbody\n"
    _, found = find({
        "a/Six-1.16-py3.11.egg": zipped({"EGG-INFO/PKG-INFO": "Name: six\nVersion: 1.16\n"}),
        "b/app.pex": zipped({".deps/f.whl/Flask_Login-0.6.dist-info/METADATA": meta}, b"#!/usr/bin/env python3\n"),
        "c/app.pyz": zipped({"site-packages/x.dist-info/METADATA": "Name: x\n"}),
        "d/packed/.deps/click-7.0.whl": zipped({"click-7.0.dist-info/METADATA": "Name: click\nVersion: 7.0\n"}),
        "d/dist/idna-2.0.whl": zipped({"idna-2.0.dist-info/METADATA": "Name: idna\nVersion: 2.0\n"}),
    })  # fmt: skip
    names = sorted(package.purl.removeprefix("pkg:pypi/") for package in found.packages)
    assert names == ["click@7.0", "flask-login@0.6", "six@1.16"]
    view, _ = find({"a/x.egg": b"PK\x03\x04 nothing"})
    assert len(view.read_problems) == 1


def test_python_in_zip_files_that_a_path_names():
    meta, wheel = "Name: {}\nVersion: 1.0\n", "site-packages/c-1.0.dist-info/METADATA"
    view, found = find({
        "var/task/.requirements.zip": zipped({"a-1.0.dist-info/METADATA": meta.format("a")}),
        "opt/layer.zip": zipped({f"python/lib/python3.11/{wheel}": meta.format("c")}),
        "srv/source.zip": zipped({"b-1.0/b.egg-info/PKG-INFO": meta.format("b"), f"tests/{wheel}": meta.format("d")}),
        "srv/damaged.zip": b"PK\x03\x04 nothing",
        "srv/other.zip": b"no zip file",
    })  # fmt: skip
    assert sorted(package.purl for package in found.packages) == ["pkg:pypi/a@1.0", "pkg:pypi/c@1.0"]
    assert not view.read_problems


def asar(files):
    """An archive as Electron's own tool writes it; an entry that is a dictionary stands in the header as it is."""
    tree, content = {"files": {}}, b""
    for path, text in files.items():
        *directories, name = path.split("/")
        node = tree
        for directory in directories:
            node = node["files"].setdefault(directory, {"files": {}})
        entry = text
        if not isinstance(text, dict):
            entry = {"size": len(text), "offset": str(len(content))}
            content += text.encode()
        node["files"][name] = entry
    header = json.dumps(tree).encode()
    padded = header + bytes(-len(header) % 4)
    return struct.pack("<4I", 4, len(padded) + 8, len(padded) + 4, len(header)) + padded + content


def manifest(name, version, **more):
    return json.dumps({"name": name, "version": version, **more})


def test_electron_archives():
    files = {
        "package.json": manifest("chat", "2.0.0", private=True),
        "node_modules/lodash/package.json": manifest("lodash", "4.17.15", license="MIT"),
        "node_modules/lodash/fp/package.json": manifest("no-module", "1.0.0"),
        "node_modules/a/node_modules/@b/c/package.json": manifest("@b/c", "v1.2.0"),
        "node_modules/native/package.json": {"size": 9, "unpacked": True},
        "node_modules/linked/package.json": {"link": "node_modules/lodash/package.json"},
        "docs/package.json": manifest("docs", "1.0.0"),
    }
    view, found = find({"opt/chat/resources/app.asar": asar(files)})
    packages = {package.purl: package for package in found.packages}
    assert sorted(packages) == ["pkg:npm/%40b/c@1.2.0", "pkg:npm/chat@2.0.0", "pkg:npm/lodash@4.17.15"]
    assert packages["pkg:npm/lodash@4.17.15"].licenses == ("MIT",)
    assert packages["pkg:npm/lodash@4.17.15"].metadata == {
        "kind": "module",
        "inside": "node_modules/lodash/package.json",
    }
    assert packages["pkg:npm/chat@2.0.0"].metadata["kind"] == "application"
    assert not view.read_problems


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\4\0\0\0",
        b"no archive of any kind",
        asar({"node_modules/a/package.json": manifest("a", "1")})[:-3],
        asar({"node_modules/a/package.json": {"size": 5, "offset": "-1"}}),
        asar({"node_modules": {"files": []}}),
    ],
)
def test_what_cannot_be_read_of_an_electron_archive_is_told(data):
    view, found = find({"app.asar": data})
    assert found.packages == () and len(view.read_problems) == 1


@pytest.mark.parametrize("path", ["status", "var/lib/dpkg/status", "etc/a.conf", "x.app", "style.css", "a.php", "opam"])
def test_what_nobody_wants(path):
    assert format_of(path) == ""


@pytest.mark.parametrize("length", [0, 1, 7, 30])
def test_damage_never_raises(length):
    names = [
        "rocks/a/1/a-1.rockspec", "x/ebin/a.app", "x/hex_metadata.config", "package.conf.d/a.conf", "x/perllocal.pod",
        ".opam-switch/packages/a.1/opam", "Cellar/a/1/INSTALL_RECEIPT.json", "conaninfo.txt", "vcpkg/status",
        "wp-includes/version.php", "wp-content/plugins/a/a.php", "wp-content/themes/a/style.css", "a.gguf",
        "a.safetensors", ".pnp.cjs", "a.egg", ".meta/a/MYMETA.json",
    ]  # fmt: skip
    for data in (bytes(length), b"\xff" * length, b"{[(<\"'" * length):
        view, found = find(dict.fromkeys(names, data))
        assert all("could not be read" not in problem.message for problem in view.read_problems)
        assert all(package.name and package.version for package in found.packages)


def test_half_a_character_in_a_licence():
    text = '{"name": "X", "version": "1", "license": ["\\ud800", "perl_5"]}'
    _, found = find({"a/.meta/X-1/MYMETA.json": text})
    assert "\ud800" not in "".join(found.packages[0].licenses)


def test_ansible_collections():
    manifest = {"collection_info": {"namespace": "community", "name": "dns", "version": "3.1.0", "license": ["MIT"]}}
    place = "usr/lib/python3/site-packages/ansible_collections/community/dns"
    _, found = find({
        f"{place}/MANIFEST.json": json.dumps(manifest),
        f"{place}/tests/MANIFEST.json": json.dumps(manifest),
        "usr/ansible_collections/a/b/MANIFEST.json": "[]",
    })  # fmt: skip
    (package,) = found.packages
    assert package.purl == "pkg:generic/ansible-collection/community.dns@3.1.0"
    assert package.licenses == ("MIT",)


def test_spack_has_a_package_for_each_prefix():
    spec = {"spec": {"nodes": [{"name": "zlib-ng", "version": "2.2.1"}, {"name": "gcc-runtime", "version": "13"}]}}
    assert purls({
        "opt/spack/linux/zlib-ng-2.2.1-abc/.spack/spec.json": json.dumps(spec),
        "opt/spack/linux/none/.spack/spec.json": '{"spec": {"nodes": []}}',
    }) == ["pkg:generic/spack/zlib-ng@2.2.1"]  # fmt: skip


def test_flatpak():
    text = """<component><id>org.example.Draw.desktop</id><project_license>GPL-3.0+</project_license>
        <releases><release date="2025-01-02" version="2.1.0"/><release version="2.0"/></releases></component>"""
    home = "var/lib/flatpak/app/org.example.Draw/x86_64/stable/0a1b/files/share"
    _, found = find({
        f"{home}/metainfo/org.example.Draw.metainfo.xml": text,
        f"{home}/app-info/xmls/org.example.Draw.xml": text,
        "var/lib/flatpak/app/org.example.Other/x/files/share/metainfo/x.xml": text,
    })  # fmt: skip
    assert [package.purl for package in found.packages] == ["pkg:generic/flatpak/org.example.Draw@2.1.0"]


def test_julia_depots():
    project = 'name = "Colors"\nuuid = "5ae59095-9a9b-59fe-a467-6f913c188581"\nversion = "0.13.0"\n[deps]\n'
    assert purls({
        "root/.julia/packages/Colors/ho0Nj/Project.toml": project,
        "root/.julia/packages/Colors/ho0Nj/docs/Project.toml": project,
        "root/.julia/packages/Other/ho0Nj/Project.toml": project,
    }) == ["pkg:julia/Colors@0.13.0?uuid=5ae59095-9a9b-59fe-a467-6f913c188581"]  # fmt: skip


def test_models_in_the_cache_of_hugging_face():
    commit = "0f" * 20
    assert purls({
        "root/.cache/huggingface/hub/models--acme--tiny-embed/refs/main": commit,
        "root/.cache/huggingface/hub/models--base/refs/main": f"{commit}\n",
        "root/.cache/huggingface/hub/models--acme--broken/refs/main": "main",
    }) == [f"pkg:huggingface/acme/tiny-embed@{commit}", f"pkg:huggingface/base@{commit}"]  # fmt: skip


def test_packs_of_prolog():
    text = "name(regex).\nversion('0.13.3').\ntitle('Regular expressions').\n"
    assert purls({"root/.local/share/swi-prolog/pack/regex/pack.pl": text}) == ["pkg:generic/swipl-pack/regex@0.13.3"]


def test_extensions_of_visual_studio_code():
    manifest = {"publisher": "Acme", "name": "Lint", "version": "1.4.0", "license": "MIT", "engines": {"vscode": "^1"}}
    home = "home/coder/.local/share/code-server/extensions/acme.lint-1.4.0"
    _, found = find({
        f"{home}/package.json": json.dumps(manifest),
        f"{home}/node_modules/x/package.json": json.dumps(manifest),
        "srv/extensions/web/package.json": '{"publisher": "a", "name": "b", "version": "1", "x": "\\"vscode\\""}',
    })  # fmt: skip
    (package,) = found.packages
    assert package.purl == "pkg:vscode-extension/acme/lint@1.4.0"
    assert package.licenses == ("MIT",)


def test_homebrew_takes_the_licence_from_the_formula():
    keg = "home/linuxbrew/.linuxbrew/Cellar/jo/1.9_1"
    formula = 'class Jo < Formula\n  desc "x"\n  license "GPL-2.0-or-later"\nend\n'
    _, found = find({
        f"{keg}/.brew/jo.rb": formula,
        f"{keg}/INSTALL_RECEIPT.json": '{"source": {"tap": "homebrew/core"}}',
        f"{keg}/.brew/other.rb": formula,
    })  # fmt: skip
    (package,) = found.packages
    assert (package.purl, package.licenses) == ("pkg:brew/jo@1.9_1", ("GPL-2.0-or-later",))


@pytest.mark.parametrize(
    ("path", "text", "purl"),
    [
        ("nextcloud/version.php", "$OC_VersionString = '29.0.4';\n$vendor = 'nextcloud';\n", "nextcloud@29.0.4"),
        ("owncloud/version.php", "$OC_VersionString = '10.14.0';\n$vendor = 'owncloud';\n", "owncloud@10.14.0"),
        ("moodle/version.php", "$release  = '4.4.1+ (Build: 20240620)'; // x\n", "moodle@4.4.1"),
        ("w/includes/Defines.php", "define( 'MW_VERSION', '1.42.1' );\n", "mediawiki@1.42.1"),
        ("m/core/Version.php", "namespace Piwik; // Matomo\n    public const VERSION = '5.1.0';\n", "matomo@5.1.0"),
        (
            "j/libraries/src/Version.php",
            "PRODUCT = 'Joomla!';\nMAJOR_VERSION = 5;\nMINOR_VERSION = 1;\nPATCH_VERSION = 2;",
            "joomla@5.1.2",
        ),
        (
            "p/libraries/classes/Version.php",
            "namespace PhpMyAdmin;\npublic const VERSION = '5.2.1' . X;",
            "phpmyadmin@5.2.1",
        ),
        ("d/includes/bootstrap.inc", "define('VERSION', '7.101');\ndefine('DRUPAL_X', 1);", "drupal@7.101"),
        ("r/lib/redmine/version.rb", "module Redmine\n  MAJOR = 5\n  MINOR = 1\n  TINY  = 3\n", "redmine@5.1.3"),
        ("c/program/include/iniset.php", "define('RCMAIL_VERSION', '1.6.5');\n", "roundcube@1.6.5"),
        ("z/include/defines.inc.php", "define('ZABBIX_VERSION',\t\t'6.0.14');\n", "zabbix@6.0.14"),
        (
            "php/Icinga/Application/Version.php",
            "namespace Icinga\\Application;\nclass Version\n{\n    const VERSION = '2.11.4';\n",
            "icingaweb2@2.11.4",
        ),
        (
            "s/lib/SimpleSAML/Configuration.php",
            "namespace SimpleSAML;\n    public const VERSION = '1.19.7';\n",
            "simplesamlphp@1.19.7",
        ),
        ("rt/lib/RT/Generated.pm", "package RT;\nour $VERSION = '5.0.3+dfsg-3';\n", "request-tracker@5.0.3"),
        ("a/adminer.php", "/** Adminer - x\n* @version 4.8.1\n*/function a", "adminer@4.8.1"),
        (
            "wlp/lib/versions/openliberty.properties",
            "com.ibm.websphere.productId=io.openliberty\ncom.ibm.websphere.productVersion=20.0.0.3\n",
            "open-liberty@20.0.0.3",
        ),
        (
            "wlp/lib/versions/WebSphereApplicationServer.properties",
            "com.ibm.websphere.productId=com.ibm.websphere.appserver\ncom.ibm.websphere.productVersion=24.0.0.1\n",
            "websphere-liberty@24.0.0.1",
        ),
    ],
)
def test_web_applications(path, text, purl):
    _, found = find({f"srv/{path}": f"<?php\n{text}"})
    (package,) = found.packages
    assert package.purl == f"pkg:generic/{purl}"
    assert f":{package.version}:" in package.cpes[0]
    assert purls({f"srv/{path}": "<?php\n"}) == []
    assert purls({f"srv/other{path.rpartition('/')[2]}": text}) == []


@pytest.mark.parametrize(
    ("path", "text", "purl"),
    [
        ("c/include/cacti_version", "1.2.24\n", "cacti@1.2.24"),
        ("d/VERSION", '2022-07-31b "Igor"\n', "dokuwiki@2022-07-31b"),
        ("l/VERSION", "RELEASE-1.2.6.3\n", "phpldapadmin@1.2.6.3"),
        ("s/shaarli_version.php", "<?php /* 0.12.1 */ ?>\n", "shaarli@0.12.1"),
    ],
)
def test_web_applications_whose_file_holds_the_version_alone(path, text, purl):
    assert purls({f"srv/{path}": text}) == [f"pkg:generic/{purl}"]
    assert purls({f"srv/{path}": f"x{text}", f"usr/share/doc/{path}": text}) == []
    # Half of all projects have a file of that name.
    assert purls({"srv/VERSION": "1.2.24\n"}) == []


def test_servers_in_erlang_are_programs():
    app = '{application, rabbit, [{description, "x"}, {vsn, "3.13.2"}]}.\n'
    _, found = find({"opt/rabbitmq/plugins/rabbit-3.13.2/ebin/rabbit.app": app})
    (package,) = found.packages
    assert package.purl == "pkg:generic/rabbitmq@3.13.2"
    assert package.cpes == ("cpe:2.3:a:vmware:rabbitmq:3.13.2:*:*:*:*:*:*:*",)


def test_cargo_install():
    installs = {
        "ripgrep 14.1.0 (registry+https://github.com/rust-lang/crates.io-index)": {"bins": ["rg"]},
        "own 0.1.0 (git+https://example.org/own#abc)": {"bins": ["own"]},
        "gone 1.0.0 (registry+https://github.com/rust-lang/crates.io-index)": {"bins": ["gone"]},
        "": 1,
    }
    root = "usr/local/cargo"
    _, found = find({
        f"{root}/.crates2.json": json.dumps({"installs": installs}),
        f"{root}/bin/rg": "",
        f"{root}/bin/own": "",
    })  # fmt: skip
    assert {package.purl: package.metadata for package in found.packages} == {
        "pkg:cargo/ripgrep@14.1.0": {"evidence": "receipt"},
        "pkg:cargo/own@0.1.0": {"evidence": "receipt", "source": "git+https://example.org/own#abc"},
    }


def test_a_program_that_tells_of_itself_is_the_one_that_was_installed():
    view, found = find({
        ".cargo/.crates2.json": '{"installs": {"a 1.0 (registry+https://x)": {"bins": ["a"]}}}',
        ".cargo/bin/a": "",
    })  # fmt: skip
    (receipt,) = found.packages
    program = replace(receipt, metadata={"kind": "main"}, analyzer="binary")
    (kept,) = link_owners([receipt, program], {}, view.tree)
    assert kept.metadata == {"kind": "main", "documented": ".cargo/.crates2.json"}
    assert link_owners([receipt], {}, view.tree) == [receipt]


def test_nim():
    digest = "a" * 40
    assert purls({
        f"root/.nimble/pkgs2/jester-0.6.0-{digest}/jester.nimble": 'license = "MIT"\n',
        "root/.nimble/pkgs/httpbeast-0.4.1/httpbeast.nimble": "",
        "src/app.nimble": "",
        f"root/.nimble/pkgs2/a-1-{digest}/sub/a.nimble": "",
    }) == ["pkg:generic/nimble/httpbeast@0.4.1", "pkg:generic/nimble/jester@0.6.0"]  # fmt: skip


def test_drupals_modules():
    packed = "name: Token\ntype: module\n\n# Information added by Drupal.org packaging script\nversion: '{}'\n"
    assert purls({
        "web/modules/token/token.info.yml": packed.format("8.x-1.10") + "project: 'token'\n",
        "web/modules/token/tests/token_test.info.yml": packed.format("8.x-1.10") + "project: 'token'\n",
        "web/modules/webform/webform.info.yml": packed.format("6.2.0-beta5") + "project: 'webform'\n",
        "web/core/modules/node/node.info.yml": "name: Node\nversion: VERSION\n",
        "web/core/modules/x/x.info.yml": packed.format("10.2.1") + "project: 'drupal'\n",
        "own/own.info.yml": "name: Own\n",
        "var/www/sites/all/modules/views/views.info": 'name = Views\nversion = "7.x-3.28"\nproject = "views"\n',
    }) == [
        "pkg:composer/drupal/core@10.2.1",
        "pkg:composer/drupal/token@1.10.0",
        "pkg:composer/drupal/views@3.28.0",
        "pkg:composer/drupal/webform@6.2.0-beta5",
    ]  # fmt: skip
