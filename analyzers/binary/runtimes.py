"""Interpreters and runtimes of languages that are known by strings in them; see ``programs``."""

from __future__ import annotations

from anchorecli.analyzers.binary.classifiers import Find, Rule, find
from anchorecli.analyzers.binary.classifiers import simple as _simple

# "3.11.2" between zeros, the first two numbers being those of the file's name.
_PYTHON = (
    Find(b"\0<v>.", rb"\0(?P<version><v>\.\d{1,3}(?:(?:a|b|rc)\d{1,3})?)\+?\0"),
    # Where it is installed below its own version (pyenv, asdf), the linker has one text for both: versions/3.11.7.
    Find(b"/<v>.", rb"/(?P<version><v>\.\d{1,3}(?:(?:a|b|rc)\d{1,3})?)\0", sole=True),
    Find(b"ython-<v>.", rb"/[Pp]ython-(?P<version><v>\.\d{1,3}(?:(?:a|b|rc)\d{1,3})?)\0", sole=True),
)

# Node before 6 has no address of its sources, only what --version prints: v4.9.1 between zeros.
_NODE = (
    find("node.js/v", r"node\.js/v<3x>"),
    *(find(f"v{n}.", rf"\0(?:node )?v(?P<version>{n}\.\d{{1,2}}\.\d{{1,2}})\0", sole=True) for n in (0, 4, 5, 6)),
)

# What follows the place of one of its sources, with or without a commit and words about the release between.
_DENO = (
    find("Deno/", r"Deno/<3>Deno/"),
    find("release/v", r"deno-[0-9a-f]{40}release/v<3>"),
    find("deno-", r"deno-(?:canary/)?[0-9a-f]{40}<3>(?:release/v)?dl"),
    find("DENO_", r"<3>[0-9a-f]{40}DENO_"),
    find("Deno/", r"Deno/<3x>", sole=True),
)

# From 2.1 on the patch level follows from the version; before, 1.9.3p0 and 1.9.3p551 are four years apart.
_RUBY = (
    r"ruby (?P<version>(?:1\.\d\.\d|2\.0\.0)p\d{1,4}|\d\.\d{1,2}\.\d{1,2}(?:(?:preview|rc)\d{1,2}|dev)?)"
    r"(?:p\d{1,4})? \(\d{4}-\d\d-\d\d"
)

_JULIA = r"(?P<version>\d\.\d{1,2}\.\d{1,2}(?:-(?:alpha|beta|rc)\d{1,2})?)"

# 17.0.9, 1.8.0_302: without the build's number, which not every place has.
_JAVA = r"(?P<version>\d{1,2}(?:\.\d{1,4}){0,5}(?:_\d{1,3})?)"

_LANGUAGES = (
    Rule(
        "python",
        r"python(?P<v>\d\.\d{1,2})(?:[dmtu]{0,3})(?:\.exe)?",
        _PYTHON,
        ("python_software_foundation:python", "python:python"),
    ),
    Rule(
        "python:library",
        r"libpython(?P<v>\d\.\d{1,2})[dmtu]{0,3}\.so.*",
        _PYTHON,
        ("python_software_foundation:python", "python:python"),
    ),
    _simple("pypy", r"libpypy.*\.so.*", "[PyPy ", r"\[PyPy <3x>"),
    Rule("node", r"node(?:\.exe)?", _NODE, ("nodejs:node.js",)),
    Rule("node:library", r"libnode\.so.*", (find("node.js/v", r"node\.js/v<3x>"),), ("nodejs:node.js",)),
    Rule("deno", r"deno", _DENO, ("deno:deno",)),
    Rule("bun", r"bun", (find("Bun v", r"Bun v<3>"), find("bun-v", r"bun-v<3>")), ("oven-sh:bun", "bun:bun")),
    _simple("ruby", r"ruby(?:\d(?:\.\d)?)?", "ruby ", _RUBY, "ruby-lang:ruby"),
    _simple("ruby:library", r"libruby.*\.so.*", "ruby ", _RUBY, "ruby-lang:ruby"),
    Rule(
        "perl",
        r"perl(?:5(?:\.\d{1,3}\.\d{1,3})?)?",
        (
            find("/perl5/5.", r"/perl5/<3>[/\0]"),
            find("/perl/5.", r"/(?:share|lib)(?:/[\w-]+)?/perl/<3>\0"),
        ),
        ("perl:perl",),
    ),
    _simple("php", r"php(?:\d(?:\.\d)?)?(?:-cgi|-cli)?(?:\d(?:\.\d)?)?", "X-Powered-By: PHP/", r"PHP/<3x>", "php:php"),
    _simple("php-fpm", r"php(?:\d(?:\.\d)?)?-fpm(?:\d(?:\.\d)?)?", "X-Powered-By: PHP/", r"PHP/<3x>", "php:php"),
    _simple("libphp", r"libphp.*\.so", "X-Powered-By: PHP/", r"PHP/<3x>", "php:php"),
    Rule(
        "composer",
        r"composer(?:\.phar)?",
        (
            find("'pretty_version'", r"composer/composer'[^{}]{0,120}?'pretty_version' ?=> ?'v?<3x>'"),
            find("const VERSION = '", r"const VERSION = '<3x>'"),
        ),
        ("getcomposer:composer",),
        text=True,
    ),
    _simple("wp-cli", r"wp", "wp-cli/wp-cli ", r"wp-cli/wp-cli <3x>", "wp-cli:wp-cli")._replace(text=True),
    Rule(
        "erlang",
        r"beam\.smp|beam|erlexec",
        (
            find("/otp_src_", r"/otp_src_<n>/erts/"),
            find("/otp-", r"/otp-(?:OTP-)?<n>/erts/"),
            find("/otp_src-", r"/otp_src-<n>/erts/"),
            find("[async-threads:", r"\[async-threads:[^\0]{1,80}\n\0<n>\0"),
            find("Erlang/OTP ", r"\0<n>\0{1,64}Erlang/OTP "),
        ),
        ("erlang:erlang/otp",),
    ),
    _simple("elixir", r"elixir", "ELIXIR_VERSION=", r"ELIXIR_VERSION=<3x>", "elixir-lang:elixir")._replace(text=True),
    _simple("swipl", r"swipl", "swipl-", r"swipl-<3>/", "swi-prolog:swi-prolog"),
    Rule(
        "julia",
        r"libjulia(?:-internal)?\.so.*",
        (
            find("julia version ", r"julia version <3x>"),
            find("julia version ", rf"\0{_JULIA}\0julia version "),
            find("\0branch\0", rf"[^\d.]{_JULIA}\0branch\0"),
            find("verify_methods", rf"__init__\0{_JULIA}\0verify_methods\0"),
            find("\0BigInt\0", rf"\0{_JULIA}\0BigInt\0"),
            find("\0_require_dependencies\0", rf"\0#kw#\0{_JULIA}\0_require_dependencies\0"),
        ),
        ("julialang:julia",),
    ),
    Rule(
        "rust",
        r"libstd-[0-9a-f]{16}\.(?:so|dylib)",
        (find("rustc version ", r"rustc version <3x> \("), find("/rustc-", r"/rustc-<3x>/library/")),
        ("rust-lang:rust",),
    ),
    _simple("rust:driver", r"librustc_driver-[0-9a-f]{16}\.(?:so|dylib)", "/rustc-", r"/rustc-<3x>/", "rust-lang:rust"),
    Rule(
        "ghc",
        r"ghc(?:-\d+\.\d+\.\d+)?",
        (find("-ghc", r"libHS[\w-]{1,40}-[\d.]{1,16}(?:-[0-9A-Za-z]{8,32})?-ghc<3>\.so"), find("GHC ", r"\0GHC <3>\0")),
        ("haskell:ghc",),
        namespace="haskell",
    ),
    Rule(
        "cabal",
        r"cabal",
        (find("cabal-install-", r"cabal-install-<n>[-:]"), find("\0Cabal-", r"\0Cabal-<n>-")),
        ("haskell:cabal",),
        namespace="haskell",
    ),
    _simple("stack", r"stack", "stack-", r"\bstack-<3>-[0-9A-Za-z]{20,24}:", "haskell:stack")._replace(
        namespace="haskell"
    ),
    Rule(
        "dart",
        r"dart",
        tuple(
            find(f" ({channel}) (", rf"\0(?P<version>\d\.\d{{1,2}}\.\d{{1,3}}(?:-[0-9a-z.]{{1,24}})?) \({channel}\) \(")
            for channel in ("stable", "beta", "dev")
        ),
        ("dart:dart_software_development_kit",),
    ),
)

_JAVAS = (
    Rule(
        "openjdk",
        r"java",
        (
            find("\0openjdk\0java\0", rf"\0openjdk\0java\0(?:\d\.\d\0)?{_JAVA}[-+\0]"),
            find("\0openjdk\0java\0", rf"\0{_JAVA}[-+][^\0]{{1,40}}\0{{1,8}}openjdk\0java\0"),
        ),
        ("oracle:openjdk",),
    ),
    Rule(
        "jre",
        r"java",
        (
            find("\0java\0", rf"\0java\0\d\.\d\0{_JAVA}[-+]\w"),
            find("\0java\0", rf"\0{_JAVA}\+[^\0]{{1,40}}\0{{1,8}}\d\.\d\0{{1,8}}java\0"),
        ),
        ("oracle:jre", "oracle:jdk"),
        namespace="oracle",
        unless=(b"openjdk", b"IBM_JAVA", b"jvmci"),
    ),
    _simple("graalvm", r"java", "-jvmci-", r"-jvmci-<n>-b\d", "oracle:graalvm")._replace(namespace="oracle"),
    Rule(
        "graalvm:release",
        r"release",
        (find("GRAALVM_VERSION=", r'GRAALVM_VERSION="<n>"'),),
        ("oracle:graalvm",),
        namespace="oracle",
        text=True,
    ),
    Rule(
        "jre:release",
        r"release",
        (find("JAVA_VERSION=", rf'JAVA_VERSION="{_JAVA}[-+"]'),),
        ("oracle:jre", "oracle:jdk"),
        namespace="oracle",
        need=(b'BUILD_TYPE="commercial"', b"OS_ARCH="),
        text=True,
    ),
    Rule(
        "openjdk:release",
        r"release",
        (
            find("JAVA_RUNTIME_VERSION=", rf'JAVA_RUNTIME_VERSION="{_JAVA}[-+"]'),
            find("JAVA_VERSION=", rf'JAVA_VERSION="{_JAVA}[-+"]'),
        ),
        ("oracle:openjdk",),
        need=(b"OS_ARCH=",),
        unless=(b'BUILD_TYPE="commercial"',),
        text=True,
    ),
)

RUNTIMES = (*_LANGUAGES, *_JAVAS)
