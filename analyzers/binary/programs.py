"""Programs that are known by strings in them, as official images and vendors' archives bring them without a package.

Each entry was tried on real builds where there were any; ``find`` explains the short forms.
"""

from __future__ import annotations

from anchorecli.analyzers.binary.classifiers import Find, Rule, find

_BEATS = ("filebeat", "metricbeat", "heartbeat", "packetbeat", "auditbeat")


def _simple(name: str, files: str, word: str, pattern: str, *cpes: str) -> Rule:
    return Rule(name, files, (find(word, pattern),), cpes)


# "3.11.2" between zeros, the first two numbers being those of the file's name.
_PYTHON = Find(b"\0<v>.", rb"\0(?P<version><v>\.\d{1,3}(?:(?:a|b|rc)\d{1,3})?)\+?\0")

# Redis and its like have their version beside the name of an interface of theirs, and before a build's host and time:
# 7.0.15 4f2c19aa0b7e -1712345678 without the spaces.
_BUILD_IDS = (
    find("-builtin\0", r"\0(?P<version>\d\.\d{1,2}\.\d{1,3})\0(?:c11|sync|atomic)-builtin\0"),
    find("buildkitsandbox-", r"(?P<version>\d\.\d{1,2}\.\d{1,3})buildkitsandbox-\d{10}"),
    find("-1", r"[\0A](?P<version>\d\.\d{1,2}\.\d{1,3})[0-9a-f]{12}-1\d{9}"),
    find("-1", r"[\0A](?P<version>\d\.\d{1,2}\.\d{1,3})[A-Za-z][\w.-]{0,63}-1\d{9}"),
    find("000000000\0", r"[\0A](?P<version>\d\.\d{1,2}\.\d{1,3})1\d{9}000000000\0"),
)

# 17.0.9, 1.8.0_302: without the build's number, which not every place has.
_JAVA = r"(?P<version>\d{1,2}(?:\.\d{1,4}){0,5}(?:_\d{1,3})?)"

LANGUAGES = (
    Rule(
        "python",
        r"python(?P<v>\d\.\d{1,2})(?:[dmtu]{0,3})(?:\.exe)?",
        (_PYTHON,),
        ("python_software_foundation:python", "python:python"),
    ),
    Rule(
        "python:library",
        r"libpython(?P<v>\d\.\d{1,2})[dmtu]{0,3}\.so.*",
        (_PYTHON,),
        ("python_software_foundation:python", "python:python"),
    ),
    _simple("pypy", r"libpypy.*\.so.*", "[PyPy ", r"\[PyPy <3x>"),
    Rule("node", r"node(?:\.exe)?", (find("node.js/v", r"node\.js/v<3x>"),), ("nodejs:node.js",)),
    Rule("node:library", r"libnode\.so.*", (find("node.js/v", r"node\.js/v<3x>"),), ("nodejs:node.js",)),
    Rule(
        "deno",
        r"deno",
        (find("Deno/", r"Deno/<3>Deno/"), find("Deno/", r"Deno/<3x>", sole=True)),
        ("deno:deno",),
    ),
    Rule("bun", r"bun", (find("Bun v", r"Bun v<3>"), find("bun-v", r"bun-v<3>")), ("oven-sh:bun", "bun:bun")),
    _simple("ruby", r"ruby(?:\d(?:\.\d)?)?", "ruby ", r"ruby <3x>(?:p\d{1,4})? \(\d{4}-\d\d-\d\d", "ruby-lang:ruby"),
    _simple("ruby:library", r"libruby.*\.so.*", "ruby ", r"ruby <3x>(?:p\d{1,4})? \(\d{4}-\d\d-\d\d", "ruby-lang:ruby"),
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
        ),
        ("erlang:erlang/otp",),
    ),
    _simple("elixir", r"elixir", "ELIXIR_VERSION=", r"ELIXIR_VERSION=<3x>", "elixir-lang:elixir")._replace(text=True),
    _simple("swipl", r"swipl", "swipl-", r"swipl-<3>/", "swi-prolog:swi-prolog"),
    _simple("julia", r"libjulia-internal\.so.*", "julia version ", r"julia version <3x>", "julialang:julia"),
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
        (find("-ghc", r"libHS[\w-]{1,40}-[\d.]{1,16}-ghc<3>\.so"), find("GHC ", r"\0GHC <3>\0")),
        ("haskell:ghc",),
        namespace="haskell",
    ),
    _simple("cabal", r"cabal", "cabal-install-", r"cabal-install-<n>[-:]", "haskell:cabal")._replace(
        namespace="haskell"
    ),
    _simple("stack", r"stack", "stack-", r"\bstack-<3>-[0-9A-Za-z]{20,24}:", "haskell:stack")._replace(
        namespace="haskell"
    ),
    Rule("dart", r"dart", (find(" (stable) (", r"\0<3x> \(stable\) \("),), ("dart:dart_software_development_kit",)),
)

TOOLS = (
    _simple("busybox", r"busybox", "BusyBox v", r"BusyBox v<3>", "busybox:busybox"),
    Rule(
        "bash",
        r"bash",
        (find("@(#)Bash version ", r"@\(#\)Bash version <3>\(\d{1,4}\)(?: [a-z]+\d*)? GNU"),),
        ("gnu:bash",),
    ),
    _simple("util-linux", r"getopt", "util-linux ", r"util-linux <n>\b", "kernel:util-linux"),
    Rule("gcc", r"gcc(?:-\d+)?", (find("GCC: (GNU) ", r"GCC: \(GNU\) <3>\0"),), ("gnu:gcc",)),
    Rule(
        "gzip",
        r"gzip",
        (find("\0" + "1.", r"\0<n>\0", sole=True),),
        ("gnu:gzip",),
        need=(b"not in gzip format", b"bug-gzip@gnu.org"),
    ),
    _simple("xz", r"xz", "xz (XZ Utils) ", r"xz \(XZ Utils\) <3x>", "tukaani:xz"),
    Rule("zstd", r"zstd", (find("\0v1.", r"\0v<3>\0", sole=True),), ("facebook:zstandard",), need=(b"Zstandard",)),
    Rule(
        "jq", r"jq", (find("\0" + "1.", r"\0(?P<version>1\.\d(?:\.\d{1,2})?(?:rc\d)?)\0", sole=True),), ("jqlang:jq",)
    ),
    _simple("curl", r"curl", "curl/", r"\0curl/<3x>", "haxx:curl"),
    Rule(
        "openssl",
        r"openssl",
        (find("\0OpenSSL ", r"\0OpenSSL (?P<version>\d\.\d{1,2}\.\d{1,2}[a-z]{0,2}(?:-(?:alpha|beta|dev)\d*)?)[ \0]"),),
        ("openssl:openssl",),
    ),
    _simple("aws-lc", r"openssl|bssl", "AWS-LC ", r"AWS-LC (?:FIPS )?<3>", "amazon:aws_libcrypto"),
    _simple("openldap", r"ldapsearch", "$OpenLDAP: ", r"\$OpenLDAP: ldapsearch <3>", "openldap:openldap"),
    Rule("git", r"git", (find("GIT_USER_AGENT", r"git/<3>[^\0]{0,40}\0GIT_USER_AGENT"),), ("git-scm:git", "git:git")),
    _simple(
        "openssh",
        r"ssh|sshd|sshd-session",
        "\0OpenSSH_",
        r"\0OpenSSH_(?P<version>\d{1,2}\.\d{1,2}p\d)[ \0]",
        "openbsd:openssh",
    ),
    _simple("gnupg", r"gpg|gpg2", "OpenPGP server ", r"OpenPGP server <3> ready", "gnupg:gnupg"),
    _simple("vim", r"vim(?:\.[a-z0-9]+)?", "VIM - Vi IMproved ", r"VIM - Vi IMproved <n>", "vim:vim"),
    Rule(
        "ffmpeg",
        r"ffmpeg(?:-[\w.-]{1,40})?|ffprobe",
        (find("FFmpeg version ", r"FFmpeg version n?<n>"), find("%s version ", r"%s version n?<n>")),
        ("ffmpeg:ffmpeg",),
    ),
    _simple("tini", r"tini(?:-static)?", "tini version ", r"tini version <3>"),
    _simple("tcpdump", r"tcpdump", "%s version ", r"\0%s version <3>", "tcpdump:tcpdump"),
    _simple("lua", r"lua(?:\d\.\d)?", "$LuaVersion: ", r"\$LuaVersion: Lua <3> ", "lua:lua"),
    Rule(
        "sudo",
        r"sudo",
        (find("Sudo version %s", r"Sudo version %s\n\0(?P<version>1\.\d\.\d{1,2}(?:p\d)?)\0"),),
        ("sudo_project:sudo",),
    ),
    _simple("fluent-bit", r"fluent-bit", "Fluent Bit v", r"Fluent Bit v<3>", "treasuredata:fluent_bit")._replace(
        kind="github", namespace="fluent"
    ),
    Rule(
        "openjdk",
        r"java",
        (find("\0openjdk\0java\0", rf"\0openjdk\0java\0(?:\d\.\d\0)?{_JAVA}[-+\0]"),),
        ("oracle:openjdk",),
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
        text=True,
    ),
    Rule(
        "firefox",
        r"application\.ini",
        (find("Name=Firefox", r"Name=Firefox\r?\n(?:[^\n]{0,80}\n){0,4}?Version=<n>"),),
        ("mozilla:firefox",),
        text=True,
    ),
    Rule(
        "chrome",
        r"chrome|chromium|headless_shell|chrome-headless-shell",
        (
            find("\0Default\0", r"\0(?P<version>\d{2,3}\.0\.\d{4,5}\.\d{1,3})\0{1,8}Default\0"),
            find("\0chrome\0", r"\0(?P<version>\d{2,3}\.0\.\d{4,5}\.\d{1,3})\0{1,8}chrome\0"),
        ),
        ("google:chrome",),
    ),
)

SERVERS = (
    Rule(
        "nginx",
        r"nginx",
        (
            find("nginx version: ", r"nginx version: nginx/<3>"),
            find("nginx version: ", r"nginx version: [^\0/]{1,40}/<3>"),
        ),
        ("f5:nginx", "nginx:nginx"),
        unless=(b"nginx version: openresty/", b"nginx version: angie/", b"nginx version: freenginx/"),
    ),
    _simple("openresty", r"nginx|openresty", "nginx version: openresty/", r"openresty/<n>", "openresty:openresty"),
    _simple("angie", r"nginx|angie", "ngie/", r"\b[Aa]ngie/<3>"),
    _simple("httpd", r"httpd|apache2", "Apache/", r"Apache/<3>", "apache:http_server"),
    _simple("lighttpd", r"lighttpd", "\0lighttpd/", r"\0lighttpd/<3>\0", "lighttpd:lighttpd"),
    Rule(
        "haproxy",
        r"haproxy",
        (
            find(", released 20", r"version <n>(?:-[\w.+~-]{1,30})?, released 20"),
            find("HA-Proxy version ", r"HA-Proxy version <n>"),
        ),
        ("haproxy:haproxy",),
    ),
    _simple(
        "proftpd", r"proftpd", "ProFTPD Version ", r"ProFTPD Version (?P<version>\d\.\d\.\d[a-z]?)", "proftpd:proftpd"
    ),
    _simple("memcached", r"memcached", "memcached ", r"\0memcached <3>", "memcached:memcached"),
    Rule(
        "redis",
        r"redis-(?:server|check-rdb|check-aof|sentinel)",
        _BUILD_IDS,
        ("redislabs:redis", "redis:redis"),
        unless=(b"valkey", b"keydb"),
        need=(b"Redis version=%s",),
    ),
    Rule(
        "valkey",
        r"valkey-(?:server|check-rdb|check-aof|sentinel)",
        _BUILD_IDS,
        ("lfprojects:valkey", "linuxfoundation:valkey", "valkey-io:valkey"),
        need=(b"alkey version=%s",),
    ),
    _simple(
        "postgresql",
        r"postgres",
        "PostgreSQL ",
        r"[\0?]PostgreSQL (?P<version>\d{1,2}\.\d{1,2}(?:\.\d{1,2})?|\d{2}(?:beta|rc)\d)[ \0]",
        "postgresql:postgresql",
    ),
    Rule(
        "mysql",
        r"mysql",
        (find("/mysql-", r"/mysql-<3>/"), find("\0mysql", r"\0<3>\0{1,8}mysql")),
        ("oracle:mysql",),
        unless=(b"MariaDB", b"percona-server", b"Percona-XtraDB"),
    ),
    Rule(
        "mysql-server",
        r"mysqld",
        (find("/mysql-", r"/mysql-<3>/"),),
        ("oracle:mysql", "oracle:mysql_server"),
        unless=(b"MariaDB", b"percona-server", b"Percona-XtraDB"),
    ),
    _simple(
        "mysql-cluster",
        r"ndbd|ndbmtd|ndb_mgmd|mysqld",
        "/mysql-cluster-",
        r"/mysql-cluster-(?:gpl|com)-<3>/",
        "oracle:mysql_cluster",
    ),
    _simple(
        "percona-server",
        r"mysql|mysqld",
        "percona-server-",
        r"/percona-server-<3>-",
        "oracle:mysql",
        "percona:percona_server",
    ),
    _simple(
        "percona-xtradb-cluster",
        r"mysql|mysqld",
        "Percona-XtraDB-Cluster-",
        r"/Percona-XtraDB-Cluster-<3>",
        "oracle:mysql",
        "percona:xtradb_cluster",
    ),
    _simple(
        "percona-xtrabackup", r"xtrabackup", "percona-xtrabackup-", r"/percona-xtrabackup-<3>", "percona:xtrabackup"
    ),
    Rule(
        "mariadb",
        r"mariadb|mariadbd|mysql|mysqld",
        (find("-MariaDB", r"\b<3>-MariaDB"), find("mariadb-", r"/mariadb-<3>/")),
        ("mariadb:mariadb",),
    ),
    Rule(
        "mongodb",
        r"mongod|mongos",
        (
            find("\0tcmalloc\0", r"\0<3x>\0{1,8}(?:[\w. ]{1,40}\0{1,8}){0,2}tcmalloc\0"),
            find("heap_size", r"\0<3x>\0{1,8}heap_size"),
            find("cppdefines", r"\0<3x>\0{1,8}cppdefines"),
        ),
        ("mongodb:mongodb",),
    ),
    _simple("arangodb", r"arangosh|arangod", " [linux]", r"\0<n> \[linux\]", "arangodb:arangodb"),
    _simple("bind", r"named", "named version: BIND ", r"named version: BIND <3>", "isc:bind"),
    _simple("unbound", r"unbound", "\0unbound ", r"\0unbound <3>", "nlnetlabs:unbound"),
    _simple("squid", r"squid", "\0squid/", r"\0squid/<n>", "squid-cache:squid"),
    _simple("varnish", r"varnishd", "(varnish-", r"\(varnish-<3> revision", "varnish-software:varnish_cache"),
    _simple("dnsmasq", r"dnsmasq", "\0dnsmasq-", r"\0dnsmasq-<n>\0", "thekelleys:dnsmasq"),
    _simple("stunnel", r"stunnel[45]?", "stunnel ", r"stunnel <n> on ", "stunnel:stunnel"),
    _simple("openvpn", r"openvpn", "OpenVPN ", r"\bOpenVPN <3x> [a-z0-9_]+-", "openvpn:openvpn"),
    _simple("postfix", r"master", "mail_version=", r"mail_version=<3>", "postfix:postfix"),
    _simple("dovecot", r"dovecot", "Dovecot v", r"Dovecot v<n> \(", "dovecot:dovecot"),
    Rule(
        "envoy",
        r"envoy",
        (find("/Clean/RELEASE/", r"[0-9a-f]{40}/<3>/Clean/RELEASE/"),),
        ("envoyproxy:envoy",),
    ),
)

# Go programs whose version the build information may lack: with -trimpath it leaves the linker's flags out.
GO_PROGRAMS = (
    Rule("vault", r"vault", (find("revoke", r"revoke<3x>[^0-9.]", sole=True),), ("hashicorp:vault",)),
    _simple("consul", r"consul", "CONSUL_VERSION: ", r"CONSUL_VERSION: <3x>", "hashicorp:consul"),
    _simple("grafana", r"grafana(?:-server)?", "release-", r"release-<3>[^0-9.]", "grafana:grafana"),
    *(_simple(name, name, "5m.rate", r"5m\.rate<3>-", f"elastic:{name}") for name in _BEATS),
)

PROGRAMS = (*LANGUAGES, *TOOLS, *SERVERS, *GO_PROGRAMS)
