"""Programs that are known by strings in them, as official images and vendors' archives bring them without a package.

Each entry was tried on real builds where there were any; ``find`` explains the short forms.
"""

from __future__ import annotations

from anchorecli.analyzers.binary.classifiers import Rule, find
from anchorecli.analyzers.binary.classifiers import simple as _simple

FORKS = (b"(compatible; AWS-LC", b"(compatible; BoringSSL")
"""What stands behind OpenSSL's name in a library that took its interface over."""
OPENSSL = r"(?P<version>\d\.\d{1,2}\.\d{1,2}[a-z]{0,2}(?:-(?:alpha|beta|dev)\d*)?)(?:-fips)?[ \0]"
"""What OpenSSL calls itself; up to 1.0.2 a build with the FIPS module says so behind its version."""
_BEATS = ("filebeat", "metricbeat", "heartbeat", "packetbeat", "auditbeat")


_PRE = r"(?:(?:alpha|beta|rc)\d{1,2}|devel)"
_ENVOY = r"\0(?P<version>1\.\d{1,2}\.\d{1,2}(?:-dev)?)\0"
_HAPROXY = r"(?P<version>\d\.\d{1,2}(?:\.\d{1,3}|-(?:dev|rc)\d{1,2})?)"

# Redis and its like have their version beside the name of an interface of theirs, and before a build's host and time:
# 7.0.15 4f2c19aa0b7e -1712345678 without the spaces.
_BUILD_IDS = (
    find("-builtin\0", r"\0(?P<version>\d\.\d{1,2}\.\d{1,3})\0(?:c11|sync|atomic)-builtin\0"),
    find("buildkitsandbox-", r"(?P<version>\d\.\d{1,2}\.\d{1,3})buildkitsandbox-\d{10}"),
    find("-1", r"[\0A](?P<version>\d\.\d{1,2}\.\d{1,3})[0-9a-f]{12}-1\d{9}"),
    find("-1", r"[\0A](?P<version>\d\.\d{1,2}\.\d{1,3})[A-Za-z][\w.-]{0,63}-1\d{9}"),
    find("000000000\0", r"[\0A](?P<version>\d\.\d{1,2}\.\d{1,3})1\d{9}000000000\0"),
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
        (find("\0OpenSSL ", rf"\0OpenSSL {OPENSSL}"),),
        ("openssl:openssl",),
        unless=FORKS,
    ),
    _simple("rsync", r"rsync", "\0copyright\0", r"\0<3>\0copyright\0url\0", "samba:rsync"),
    _simple("nmap", r"nmap", "\0Nmap\0", r"\0<n>\0Nmap\0", "nmap:nmap"),
    Rule(
        "wget",
        r"wget",
        (find("\0" + "1.", r"\0(?P<version>1\.\d{2}(?:\.\d{1,2})?)\0", sole=True),),
        ("gnu:wget",),
        need=(b"GNU Wget %s",),
    ),
    _simple("sqlcipher", r"sqlcipher", "\0community\0", r"\0community\0<3>\0", "zetetic:sqlcipher"),
    _simple("aws-lc", r"openssl|bssl", "AWS-LC ", r"AWS-LC (?:FIPS )?<3>", "amazon:aws_libcrypto"),
    _simple(
        "openldap",
        r"ldapsearch|slapd",
        "$OpenLDAP: ",
        r"\$OpenLDAP: (?:ldapsearch|slapd) <3>",
        "openldap:openldap",
    ),
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
    Rule(
        "fluent-bit",
        r"fluent-bit",
        (
            find("Fluent Bit v", r"Fluent Bit v<3>"),
            find("Fluent Bit v%s", r"\0<3>\0{1,8}(?:\x1b\[1m\0{1,8})?(?:%s)?Fluent Bit v%s"),
        ),
        ("treasuredata:fluent_bit",),
        kind="github",
        namespace="fluent",
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
            find("\0Default", r"\0(?P<version>\d{2,3}\.0\.\d{4,5}\.\d{1,3})\0{1,8}Default\b"),
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
    # Nginx of its first three numbers is its core, and has nginx's faults.
    _simple(
        "openresty",
        r"nginx|openresty",
        "nginx version: openresty/",
        r"openresty/<n>",
        *("openresty:openresty", "f5:nginx", "nginx:nginx"),
    ),
    _simple("angie", r"nginx|angie", "ngie/", r"\b[Aa]ngie/<3>"),
    _simple("httpd", r"httpd|apache2", "Apache/", r"Apache/<3>", "apache:http_server"),
    _simple("lighttpd", r"lighttpd", "\0lighttpd/", r"\0lighttpd/<3>\0", "lighttpd:lighttpd"),
    Rule(
        "haproxy",
        r"haproxy",
        (
            find(", released 20", rf"version {_HAPROXY}(?:-[\w.+~-]{{1,30}})?, released 20"),
            find("HAProxy version ", rf"\0{_HAPROXY}-[0-9a-f]{{7}}\0{{1,64}}HAProxy version "),
            find("HA-Proxy version ", rf"HA-Proxy version {_HAPROXY}"),
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
        (*_BUILD_IDS, find("Redis version ", r"Server started, Redis version <3>\0")),
        ("redislabs:redis", "redis:redis"),
        unless=(b"valkey", b"keydb"),
        need=(b"redis_version:%s",),
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
        rf"[\0?]PostgreSQL (?P<version>\d{{1,2}}\.\d{{1,2}}(?:\.\d{{1,2}}|{_PRE})?|\d{{2}}{_PRE})[ \0]",
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
        (find("/mysql-", r"/mysql-<3>/"), find("-ndb-", r"\0<3>-ndb-\d")),
        ("oracle:mysql", "oracle:mysql_server"),
        unless=(b"MariaDB", b"percona-server", b"Percona-XtraDB"),
    ),
    Rule(
        "mysql-cluster",
        r"ndbd|ndbmtd|ndb_mgmd|mysqld",
        (
            find("/mysql-cluster-", r"/mysql-cluster-(?:gpl|com)-<3>/"),
            # 5.7.33-ndb-7.6.17: the server's version and the cluster's own.
            find("-ndb-", r"\0\d\.\d\.\d{1,2}-ndb-<3>"),
        ),
        ("oracle:mysql_cluster",),
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
        (find("-MariaDB", r"\b<3>-MariaDB"), find("mariadb-", r"/mariadb-<3>[-/]")),
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
    _simple(
        "arangodb",
        r"arangosh|arangod",
        " [linux]",
        r"\0(?P<version>\d\.\d{1,2}\.\d{1,2}(?:[.-]\d{1,2})?) (?:enterprise )?\[linux\]",
        "arangodb:arangodb",
    ),
    _simple("bind", r"named", "named version: BIND ", r"named version: BIND <3>", "isc:bind"),
    _simple("unbound", r"unbound", "\0unbound ", r"\0unbound <3>", "nlnetlabs:unbound"),
    _simple("squid", r"squid", "\0squid/", r"\0squid/<n>", "squid-cache:squid"),
    _simple("varnish", r"varnishd", "(varnish-", r"\(varnish-<3> revision", "varnish-software:varnish_cache"),
    _simple("dnsmasq", r"dnsmasq", "\0dnsmasq-", r"\0dnsmasq-<n>\0", "thekelleys:dnsmasq"),
    _simple("stunnel", r"stunnel[45]?", "stunnel ", r"stunnel <n> on ", "stunnel:stunnel"),
    _simple("openvpn", r"openvpn", "OpenVPN ", r"\bOpenVPN <3x> [a-z0-9_]+-", "openvpn:openvpn"),
    _simple(
        "mosquitto", r"mosquitto", "mosquitto version %s", r"\0<3>\0{1,8}mosquitto version %s", "eclipse:mosquitto"
    ),
    _simple("pgbouncer", r"pgbouncer", "\0PgBouncer ", r"\0PgBouncer <3>\0", "pgbouncer:pgbouncer"),
    _simple("coturn", r"turnserver", "\0Coturn-", r"\0Coturn-<n>", "coturn_project:coturn"),
    _simple("exim", r"exim\d?", "<<eximversion>>", r"\0<n>\0{1,8}<<eximversion>>", "exim:exim"),
    _simple("vsftpd", r"vsftpd", "(vsFTPd ", r"\(vsFTPd <3>\)", "vsftpd_project:vsftpd"),
    _simple("hitch", r"hitch", "\0hitch ", r"\0hitch <3>\0"),
    _simple("znc", r"znc", ", build: ", r"\0<n>\0, build: ", "znc:znc"),
    _simple(
        "tor", r"tor", "\0tor 0.", r"\0tor (?P<version>0\.\d\.\d{1,2}\.\d{1,2}(?:-(?:alpha|rc))?)\0", "torproject:tor"
    ),
    _simple(
        "transmission",
        r"transmission-(?:daemon|cli|remote|gtk)",
        "\0Transmission/",
        r"\0Transmission/<n>\0",
        "transmissionbt:transmission",
    ),
    _simple(
        "freeradius", r"freeradius|radiusd", "FreeRADIUS Version ", r"FreeRADIUS Version <3>", "freeradius:freeradius"
    ),
    _simple("keepalived", r"keepalived", "Keepalived v", r"\0Keepalived v<3> \(", "keepalived:keepalived"),
    _simple("nsd", r"nsd", "\0NSD ", r"\0NSD <3>\0", "nlnetlabs:name_server_daemon"),
    _simple("rsyslog", r"rsyslogd", "rsyslogd  ", r"\0rsyslogd  <3> \(aka", "rsyslog:rsyslog"),
    _simple("zabbix", r"zabbix_(?:agentd|server|proxy)", "\0Zabbix ", r"\0Zabbix <3x>\0", "zabbix:zabbix"),
    _simple("postfix", r"master", "mail_version=", r"mail_version=<3>", "postfix:postfix"),
    _simple("dovecot", r"dovecot", "Dovecot v", r"Dovecot v<n> \(", "dovecot:dovecot"),
    Rule(
        "envoy",
        r"envoy",
        (
            find("/Clean/RELEASE/", r"[0-9a-f]{40}/<3>/Clean/RELEASE/"),
            find("\0" + "1.", rf"{_ENVOY}[^\xff]{{0,230}}?(?:envoy[/._]|Envoy|RELEASE\0)", sole=True),
            find("\0" + "1.", _ENVOY, sole=True),
        ),
        ("envoyproxy:envoy",),
    ),
)

# Constants of a Go program stand by length, one after the other: what comes before the version differs.
_BEAT = (
    find("5m.rate", r"5m\.rate<3>-"),
    find("plugin", r"plugin(?:output)?(?P<version>\d\.\d{1,2}\.\d{1,2})[-a-z]", sole=True),
    find("Test ", r"setupTest (?P<version>\d\.\d{1,2}\.\d{1,2})[a-z%]", sole=True),
)

# Go programs whose version the build information may lack: with -trimpath it leaves the linker's flags out.
GO_PROGRAMS = (
    Rule(
        "vault",
        r"vault",
        (
            find("revoke", r"revoke<3x>[^0-9.]", sole=True),
            find("0x%016x", r"0x%016x(?P<version>1\.\d{2}\.(?:\d(?=[^\d.])|\d{2}(?=1\.49\.|123-abc)))", sole=True),
            find("state1.", r"state(?P<version>1\.\d{1,2}\.\d{1,2}-rc\d)", sole=True),
        ),
        ("hashicorp:vault",),
    ),
    _simple("consul", r"consul", "CONSUL_VERSION: ", r"CONSUL_VERSION: <3x>", "hashicorp:consul"),
    _simple("grafana", r"grafana(?:-server)?", "release-", r"release-<3>[^0-9.]", "grafana:grafana"),
    *(Rule(name, name, _BEAT, (f"elastic:{name}",)) for name in _BEATS),
    Rule(
        "elastic-agent",
        r"elastic-agent",
        (
            find("header", r"enroll(?:: true)?<3>-?header", sole=True),
            find(":https", r"PM(?P<version>\d\.\d{1,2}\.\d{1,2}):https", sole=True),
        ),
        ("elastic:elastic_agent",),
    ),
)

PROGRAMS = (*TOOLS, *SERVERS, *GO_PROGRAMS)
