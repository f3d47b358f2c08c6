"""Every rule finds its program by a piece of a real one's strings, in one pass whatever the pieces."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anchorecli.analyzers.binary import classifiers
from anchorecli.analyzers.binary.classifiers import AFTER, MAX_HITS, Rule, Search, all_rules, find, rules_for

# rule → file name, what stands in it, version
SAMPLES: dict[str, tuple[str, str, str]] = {
    "python": ("python3.11", "\0" + "3.9.1\0\0" + "3.11.2\0final", "3.11.2"),
    "python:library": ("libpython3.13.so.1.0", "main\0" + "3.13.0rc2+\0x", "3.13.0rc2"),
    "pypy": ("libpypy3.9-c.so", "\n[PyPy 7.3.11 with GCC", "7.3.11"),
    "node": ("node", "x\0node.js/v24.19.0\0y", "24.19.0"),
    "node:library": ("libnode.so.108", "\0node.js/v18.20.4\0", "18.20.4"),
    "deno": ("deno", "x-Deno/0.80.0grpc-denover2.9.6Deno/2.9.6Deno/2.9.6+e518fbd", "2.9.6"),
    "bun": ("bun", "Bun v1.1.30 (linux", "1.1.30"),
    "ruby": ("ruby3.1", "\0ruby 3.1.2p20 (2022-04-12 revision 4491bb740a)", "3.1.2"),
    "ruby:library": ("libruby-3.1.so.3.1", "\0ruby 3.4.0preview1 (2024\0ruby 3.3.0 (2023-12-25 revision", "3.3.0"),
    "perl": ("perl5.36.0", "\0/usr/local/lib/perl5/5.36.0/x86_64-linux-gnu\0", "5.36.0"),
    "php": ("php8.2", "X-Powered-By: PHP/8.2.36\0", "8.2.36"),
    "php-fpm": ("php-fpm", "X-Powered-By: PHP/8.3.0RC1\0", "8.3.0RC1"),
    "libphp": ("libphp8.2.so", "X-Powered-By: PHP/8.2.36\0", "8.2.36"),
    "composer": ("composer.phar", "'composer/composer' => \narray (\n'pretty_version' => '2.7.1'", "2.7.1"),
    "wp-cli": ("wp", "wp-cli/wp-cli 2.10.0\n", "2.10.0"),
    "erlang": ("beam.smp", "-I/usr/src/otp_src_25.3.2.8/erts/x86", "25.3.2.8"),
    "elixir": ("elixir", "#!/bin/sh\nELIXIR_VERSION=1.14.0\n", "1.14.0"),
    "swipl": ("swipl", "/tmp/src/swipl-9.1.2/src/os", "9.1.2"),
    "julia": ("libjulia-internal.so.1", "julia version 1.10.0\0", "1.10.0"),
    "rust": ("libstd-a5a48102fbd58791.so", "rustc version 1.63.0 (4b91a6ea7 2022-08-08)", "1.63.0"),
    "rust:driver": ("librustc_driver-4c3beb7552356b6f.so", "/usr/src/rustc-1.63.0/compiler", "1.63.0"),
    "ghc": ("ghc-9.0.2", "libHSunix-2.7.2.2-ghc9.0.2.so\0", "9.0.2"),
    "cabal": ("cabal", "cabal-install-3.4.1.0-5K:Distribution", "3.4.1.0"),
    "stack": ("stack", "\0stack-2.7.5-4MwjQGzRWvOY6u029GEVc:System", "2.7.5"),
    "dart": ("dart", "\0" + "3.2.0 (stable) (Tue Nov 14", "3.2.0"),
    "busybox": ("busybox", "syslogd started: BusyBox v1.35.0\0", "1.35.0"),
    "bash": ("bash", "@(#)Bash version 5.2.15(1) release GNU\0", "5.2.15"),
    "util-linux": ("getopt", "%s from util-linux 2.38.1\n", "2.38.1"),
    "gcc": ("gcc-12", "GCC: (GNU) 12.2.0\0", "12.2.0"),
    "gzip": ("gzip", "\0" + "1.12\0" + "%s: not in gzip format\0bug-gzip@gnu.org\0", "1.12"),
    "xz": ("xz", "xz (XZ Utils) 5.4.1\0", "5.4.1"),
    "zstd": ("zstd", "Zstandard CLI\0v1.5.4\0", "1.5.4"),
    "jq": ("jq", "\0" + "1.7.1\0", "1.7.1"),
    "curl": ("curl", "\0curl/7.88.1\0", "7.88.1"),
    "openssl": ("openssl", "\0OpenSSL 1.1.1w  11 Sep 2023\0", "1.1.1w"),
    "aws-lc": ("openssl", "AWS-LC 1.36.0\0", "1.36.0"),
    "openldap": ("ldapsearch", "@(#) $OpenLDAP: ldapsearch 2.5.13+dfsg-5 (Feb", "2.5.13"),
    "git": ("git", "\xffgit/2.39.5\0GIT_USER_AGENT\0", "2.39.5"),
    "openssh": ("sshd", "\0OpenSSH_6.6.1*\0OpenSSH_9.2p1 Debian-2\0", "9.2p1"),
    "gnupg": ("gpg", "GNU Privacy Guard's OpenPGP server 2.2.40 ready", "2.2.40"),
    "vim": ("vim.basic", "VIM - Vi IMproved 9.0 (2022 Jun 28)", "9.0"),
    "ffmpeg": ("ffprobe", "%s version 5.1.9-0+deb12u1\0", "5.1.9"),
    "tini": ("tini-static", "tini version 0.19.0\0", "0.19.0"),
    "tcpdump": ("tcpdump", "\0%s version 4.99.3\n", "4.99.3"),
    "lua": ("lua5.4", "$LuaVersion: Lua 5.4.4  Copyright", "5.4.4"),
    "sudo": ("sudo", "Sudo version %s\n\0" + "1.9.13p3\0" + "1.4.1\0", "1.9.13p3"),
    "fluent-bit": ("fluent-bit", "Fluent Bit v2.2.0\n", "2.2.0"),
    "openjdk": ("java", "\0openjdk\0java\0" + "0.0\0" + "17.0.21.1+2-1-deb12u1-Debian\0", "17.0.21.1"),
    "jre": ("java", "\0java\0" + "0.0\0" + "21.0.6+8-LTS-188\0", "21.0.6"),
    "jre:release": ("release", 'BUILD_TYPE="commercial"\nJAVA_VERSION="1.8.0_431"\nOS_ARCH="x"\n', "1.8.0_431"),
    "graalvm": ("java", "\0openjdk\0java\0" + "0.0\0" + "17.0.9+9-jvmci-23.0-b22\0", "23.0"),
    "graalvm:release": ("release", 'GRAALVM_VERSION="22.3.2"\nOS_ARCH="x"\n', "22.3.2"),
    "sqlcipher": ("sqlcipher", "\0community\0" + "4.6.1\0", "4.6.1"),
    "sqlcipher:library": ("libsqlcipher.so.0", "\0community\0" + "4.6.1\0", "4.6.1"),
    "elastic-agent": ("elastic-agent", "configenroll8.14.3-headeruint16", "8.14.3"),
    "rsync": ("rsync", "\0" + "3.3.0\0copyright\0url\0Copyright %s", "3.3.0"),
    "nmap": ("nmap", "https://nmap.org\0" + "7.94\0Nmap\0NMAPDIR\0", "7.94"),
    "wget": ("wget", "-O2\0" + "1.24.5\0\0GNU Wget %s built on %s.\n", "1.24.5"),
    "mosquitto": ("mosquitto", "mapping.\0" + "2.0.18\0mosquitto version %s\n", "2.0.18"),
    "pgbouncer": ("pgbouncer", "memtotal\0PgBouncer 1.22.1\0pool_mode", "1.22.1"),
    "coturn": ("turnserver", "TURN Server\0Coturn-4.6.2 'Gorst'\0", "4.6.2"),
    "exim": ("exim4", "<<eximcnumber>>\0" + "4.97.1\0<<eximversion>>\0", "4.97.1"),
    "vsftpd": ("vsftpd", "Service not available.\0(vsFTPd 3.0.5)\0USER", "3.0.5"),
    "hitch": ("hitch", "looks ok.\n\0hitch 1.8.0\0{core}", "1.8.0"),
    "znc": ("znc", "failed\0" + "1.9.1\0, build: cmake\0", "1.9.1"),
    "tor": ("tor", "Controller\0tor 0.4.8.12\0\0\0", "0.4.8.12"),
    "transmission": ("transmission-daemon", "[%s]\0Transmission/4.0.5\0", "4.0.5"),
    "freeradius": ("radiusd", "FreeRADIUS Version 3.2.3, for host x86_64\0", "3.2.3"),
    "keepalived": ("keepalived", "\0Keepalived v2.3.1 (05/24,2024)\0", "2.3.1"),
    "nsd": ("nsd", "\0NSD 4.9.1\0closing", "4.9.1"),
    "rsyslog": ("rsyslogd", "\0rsyslogd  8.2404.0 (aka %4d.%2.2d)", "8.2404.0"),
    "zabbix": ("zabbix_agentd", "%s:%u/\0Zabbix 7.0.0rc2\0Cannot", "7.0.0rc2"),
    "openjdk:release": ("release", 'JAVA_RUNTIME_VERSION="1.8.0_302-b08"\nOS_ARCH="x"\n', "1.8.0_302"),
    "firefox": ("application.ini", "[App]\nVendor=Mozilla\nName=Firefox\nRemotingName=x\nVersion=115.1\n", "115.1"),
    "chrome": ("chrome", "\0" + "120.0.6099.71\0Default\0", "120.0.6099.71"),
    "nginx": ("nginx", "nginx version: nginx/1.22.1\n", "1.22.1"),
    "openresty": ("nginx", "nginx version: openresty/1.21.4.1\n", "1.21.4.1"),
    "angie": ("angie", "nginx version: Angie/1.4.0\n", "1.4.0"),
    "httpd": ("httpd", "\0Apache/2.4.58 (Unix)\0", "2.4.58"),
    "lighttpd": ("lighttpd", "\0lighttpd/1.4.69\0", "1.4.69"),
    "haproxy": ("haproxy", " version 2.6.12-1+deb12u4, released 2023/12/16\n", "2.6.12"),
    "proftpd": ("proftpd", "ProFTPD Version 1.3.8b\0", "1.3.8b"),
    "memcached": ("memcached", "\0memcached 1.6.18\0", "1.6.18"),
    "redis": ("redis-server", "redis_version:%s\0" + "5.0.0\0" + "7.2.14f2c19aa0b7e-1712345678\0", "7.2.1"),
    "valkey": ("valkey-server", "Valkey version=%s\0" + "8.0.1buildkitsandbox-1712345678\0", "8.0.1"),
    "postgresql": ("postgres", "\0PostgreSQL 15.20 (Debian", "15.20"),
    "mysql": ("mysql", "/pb2/build/mysql-8.0.33/client", "8.0.33"),
    "mysql-server": ("mysqld", "/pb2/build/mysql-8.0.33/sql", "8.0.33"),
    "mysql-cluster": ("ndbd", "/build/mysql-cluster-gpl-8.0.33/storage", "8.0.33"),
    "percona-server": ("mysqld", "/build/percona-server-8.0.33-25/sql", "8.0.33"),
    "percona-xtradb-cluster": ("mysqld", "/build/Percona-XtraDB-Cluster-8.0.33/sql", "8.0.33"),
    "percona-xtrabackup": ("xtrabackup", "/build/percona-xtrabackup-8.0.33/x", "8.0.33"),
    "mariadb": ("mariadb", "\0debian-linux-gnu\0" + "10.11.19-MariaDB\0", "10.11.19"),
    "mongodb": ("mongod", "\0" + "7.0.2\0\0tcmalloc\0", "7.0.2"),
    "arangodb": ("arangosh", "\0" + "3.11.8 [linux]", "3.11.8"),
    "bind": ("named", "named version: BIND 9.18.49-1~deb12u3-Debian <>", "9.18.49"),
    "unbound": ("unbound", "\0unbound 1.17.1\0", "1.17.1"),
    "squid": ("squid", "\0squid/5.7\0", "5.7"),
    "varnish": ("varnishd", "(varnish-7.1.1 revision 7cee1c581bead)", "7.1.1"),
    "dnsmasq": ("dnsmasq", "\0dnsmasq-2.90\0", "2.90"),
    "stunnel": ("stunnel4", "stunnel 5.68 on x86_64", "5.68"),
    "openvpn": ("openvpn", "OpenVPN 2.6.14 x86_64-pc-linux-gnu [SSL", "2.6.14"),
    "postfix": ("master", "\0mail_version=3.7.11\0", "3.7.11"),
    "dovecot": ("dovecot", "Dovecot v2.3.19.1 (9b53102964) starting", "2.3.19.1"),
    "envoy": ("envoy", "f" * 40 + "/1.28.0/Clean/RELEASE/BoringSSL", "1.28.0"),
    "vault": ("vault", "grantrevoke1.15.4string", "1.15.4"),
    "consul": ("consul", "CONSUL_VERSION: 1.17.1", "1.17.1"),
    "grafana": ("grafana-server", "release-10.2.3'", "10.2.3"),
    **{
        name: (name, "5m.rate8.11.3-x", "8.11.3")
        for name in ("filebeat", "metricbeat", "heartbeat", "packetbeat", "auditbeat")
    },
    "openssl:library": ("libcrypto.so.3", "\0OpenSSL 3.0.22 25 Aug 2026\0", "3.0.22"),
    "libressl": ("libcrypto.so.50", "\0LibreSSL 3.8.2\0", "3.8.2"),
    "aws-lc:library": ("libcrypto.so", "AWS-LC FIPS 2.0.0", "2.0.0"),
    "curl:library": ("libcurl.so.4.8.0", "\0libcurl/7.88.1\0", "7.88.1"),
    "zlib": ("libz.so.1.2.13", " deflate 1.2.13 Copyright 1995", "1.2.13"),
    "sqlite": ("libsqlite3.so.0.8.6", "\0" + "3.40.1\0", "3.40.1"),
    "glibc": ("libc.so.6", "GNU C Library (Debian GLIBC 2.36-9+deb12u14) stable release version 2.36.\n", "2.36"),
    "musl": ("ld-musl-x86_64.so.1", "musl libc (x86_64)\nVersion %s\0/dev\0" + "1.2.3\0", "1.2.3"),
    "libssh": ("libssh.so.4.9.6", "\0SSH-2.0-libssh_0.10.6\0", "0.10.6"),
    "expat": ("libexpat.so.1.8.10", "\0expat_2.5.0\0", "2.5.0"),
    "libpng": ("libpng16.so.16.39.0", " libpng version 1.6.39\0", "1.6.39"),
    "libtiff": ("libtiff.so.6.0.0", "LIBTIFF, Version 4.5.0\n", "4.5.0"),
    "gnutls": ("libgnutls.so.30.34.3", "Enabled GnuTLS 3.7.9 logging", "3.7.9"),
    "bzip2": ("libbz2.so.1.0.4", "\0" + "1.0.8, 13-Jul-2019\0", "1.0.8"),
    "pcre2": ("libpcre2-8.so.0.11.2", "\0" + "10.42 2022-12-11\0", "10.42"),
    "pcre": ("libpcre-9513aab5.so.1.2.0", "\0" + "8.32 2012-11-30\0", "8.32"),
    "libarchive": ("libarchive.so.13.6.2", "\0libarchive 3.6.2\0", "3.6.2"),
    "libgcrypt": ("libgcrypt.so.20.4.1", "This is Libgcrypt 1.10.1 - The", "1.10.1"),
    "libssh2": ("libssh2.so.1.0.1", "SSH-2.0-libssh2_1.10.0\r\n", "1.10.0"),
    "krb5": ("libkrb5.so.3.3", "KRB5_BRAND: krb5-1.20.1-final 1.20.1 20221115\0", "1.20.1"),
    "heimdal-krb5": ("libkrb5.so.26.0.0", "@(#)$Version: Heimdal 7.8.0 $\0", "7.8.0"),
    "qtbase": ("libQt5Core.so.5.15.8", "\0Qt 5.15.8 (x86_64-little", "5.15.8"),
    "ffmpeg:library": ("libavcodec.so.59.37.100", "FFmpeg version 5.1.9-0+deb12u1\0", "5.1.9"),
    "imagemagick": ("libMagickCore-6.Q16.so.6.0.0", "ImageMagick 6.9.11-60 Q16", "6.9.11-60"),
    "lua:library": ("liblua5.4.so.0.0.0", "$LuaVersion: Lua 5.4.4  Copyright", "5.4.4"),
    "zstd:library": ("libzstd.so.1.5.4", "\xeb" + "1.5.4\0\0\0\0", "1.5.4"),
    "lz4": ("liblz4.so.1.9.4", "\0" + "1.9.4\0", "1.9.4"),
    "xz:library": ("liblzma.so.5.4.1", "\0" + "5.4.1\0", "5.4.1"),
    "libwebp": ("libwebp-51b0b3f7.so.7.2.0", "\0WebPGetDecoderVersion\0\xb8\0\x06\x01\0\xc3", "1.6.0"),
    "brotli": ("libbrotlidec.so.1.2.0", "\0BrotliDecoderVersion\0\xb8\x01\x20\0\x01\xc3", "1.2.1"),
    "lcms2": ("liblcms2-88eaba2f.so.2.0.19", "\0cmsGetEncodedCMMversion\0\xb8\x8e\x08\0\0\xc3", "2.19"),
    "libpq": ("libpq-a17e3caa.so.5.17", "\0PQlibVersion\0\xb8\x1b\x98\x02\0\xc3", "17.11"),
    "libjpeg-turbo": ("libjpeg.so.62.3.0", "\0libjpeg-turbo version 2.1.5 (build 20230203)\0", "2.1.5"),
    "harfbuzz": ("libharfbuzz.so.0.60000.0", "\0invalid\0" + "6.0.0\0C\0", "6.0.0"),
    "libavif": ("libavif.so.15.0.1", "7.3.11.4.2\0" + "0.11.1\0YUV444\0YUV4", "0.11.1"),
    "aom": ("libaom.so.3.6.0", "AOMedia Project AV1 Decoder v3.6.0\0", "3.6.0"),
    "libvpx": ("libvpx.so.7.1.0", "WebM Project VP8 Encoder v1.12.0\0", "1.12.0"),
    "libsndfile": ("libsndfile_x86_64.so", "written by libsndfile-1.2.2, \0", "1.2.2"),
    "nss": ("libnss3.so", "Version: NSS 3.87.1\0", "3.87.1"),
    "cyrus-sasl": ("libsasl2.so.2.0.25", "Cyrus SASL\0" + "2.1.28\0", "2.1.28"),
    "gdal": ("libgdal-fiona-e8f6bdb0.so.35.3.9.2", "\0GDAL/3.9.2\0CartoDB\0", "3.9.2"),
    "proj": ("libproj.so.25.9.1.1", "\0PROJ 9.1.1\0 using \0", "9.1.1"),
    "hdf5": ("libhdf5_serial.so.103.3.1", "\0HDF5 library version: 1.10.8\0", "1.10.8"),
    "netcdf": ("libnetcdf.so.19", "\0netcdf\0" + "4.9.0\0hdf5\0", "4.9.0"),
    "libgit2": ("libgit2.so.1.5.1", "\0libgit2 1.5.1\0Sending %s", "1.5.1"),
    "openblas": ("libopenblasp-r0-59ffcd50.3.15.so", "OpenBLAS 0.3.15 DYNAMIC_ARCH NO_CH ", "0.3.15"),
    "glib": ("libgio-2.0.so.0.7400.6", "<!-- GDBus 2.74.6 -->", "2.74.6"),
    "libevent": ("libevent-2.1.so.7.0.1", "finalizing\0" + "2.1.12-stable\0EV", "2.1.12"),
    "freetds": ("libsybdb.so.5.1.0", "\0freetds v1.3.17\0", "1.3.17"),
    "libraw": ("libraw_r.so.20.0.0", "\0" + "0.20.2-Release\0", "0.20.2"),
    "mbedtls": ("libmbedcrypto.so.2.28.3", "\0mbed TLS 2.28.3\0", "2.28.3"),
    "botan": ("libbotan-2.so.19.19.3", "\0Botan 2.19.3 (unreleased", "2.19.3"),
    "libpcap": ("libpcap.so.1.10.3", "libpcap version 1.10.3 (with TPACKET_V3)", "1.10.3"),
    "flac": ("libFLAC.so.12.0.0", "reference libFLAC 1.4.2 20221022\0", "1.4.2"),
    "libsoup": ("libsoup-2.4.so.1.11.2", "Origin\0libsoup/2.74.3\0", "2.74.3"),
    "libsrtp": ("libsrtp2.so.1", "\0libsrtp2 2.5.0\0", "2.5.0"),
    "dbus": ("libdbus-1.so.3.32.4", "\0libdbus 1.14.10\0OK", "1.14.10"),
    "wolfssl": ("libwolfssl.so.35.3.0", "\0wolfSSL 5.5.4\0", "5.5.4"),
    "cups": ("libcups.so.2", "CUPS/2.4.2 IPP/2.1\0", "2.4.2"),
    "openjpeg": ("libopenjp2.so.2.5.0", "GLIBC_2.2.5\0\0" + "2.5.0\0rb\0", "2.5.0"),
    "libheif": ("libheif.so.1.15.1", "\0" + "1.15.1\0heix\0" + "1.2.13\0", "1.15.1"),
    "libde265": ("libde265.so.0.1.4", "CXXABI_1.3.9\0\0" + "1.0.11\0no error\0", "1.0.11"),
    "dav1d": ("libdav1d.so.7.0.0", "BPBTB1.5.3\0", "1.5.3"),
    "libsodium": ("libsodium.so.23.3.0", "_sodium_malloc\0" + "1.0.18\0", "1.0.18"),
    "unixodbc": ("libodbc.so.2.0.0", "GLIBC_2.3.4\0.c\0" + "2.3.11\0", "2.3.11"),
    "cairo": ("libcairo.so.2.11600.0", "P?1.16.0\0../\0" + "1.2.13\0CAIRO_DEBUG\0" + "1.6.39\0", "1.16.0"),
    "libuv": ("libuv.so.1.0.0", "\xff1.44.2\0./src/unix", "1.44.2"),
    "c-ares": ("libcares.so.2.5.1", "function\0" + "1.18.1\0", "1.18.1"),
    "file": ("libmagic.so.1.0.0", "magic in `%s'\0" + "5.44\0", "5.44"),
    "libidn2": ("libidn2.so.0.3.8", "GLIBC_2.2.5\0xn--2.3.3\0" + "2.3.3-1+b1\0", "2.3.3"),
    "libtasn1": ("libtasn1.so.6.6.3", "\xd6\xd3\xff\xff4.19.0\0", "4.19.0"),
    "gmp": ("libgmp.so.10.4.1", "I3U\xff6.2.1\0", "6.2.1"),
    "gdk-pixbuf": ("libgdk_pixbuf-2.0.so.0.4200.10", "\0" + "2.42.10\0loaders.cache\0" + "2.10.0\0", "2.42.10"),
    "poppler": ("libpoppler.so.126.0.0", "Form\n\0" + "22.12.0\0Creator", "22.12.0"),
    "exiv2": ("libexiv2.so.0.27.6", "%02d\0" + "0.27.6\0/proc", "0.27.6"),
    "libgd": ("libgd.so.3.0.11", "GLIBC_2.2.5\0\1" + "2.3.3\0Could", "2.3.3"),
    "libmicrohttpd": ("libmicrohttpd.so.12.60.0", "MHD-worker\0" + "0.9.75\0", "0.9.75"),
    "pixman": ("libpixman-1.so.0.42.2", ">>>0.42.2\0../../pixman", "0.42.2"),
    "apr": ("libapr-1.so.0.7.2", "apr_initialize\0" + "1.7.2\0", "1.7.2"),
    "libyaml": ("libyaml-0.so.2.0.9", "\0" + "0.2.5\0api.c\0", "0.2.5"),
    "libzip": ("libzip.so.4.0", "\xefA1.7.3\0", "1.7.3"),
    "libvips": ("libvips.so.42.16.1", "init: main\0" + "8.14.1\0libvips %s", "8.14.1"),
    "libxml2": ("libxml2.so.2.9.14", "\xf6\xff::20914\0xmlGetGlobalState", "2.9.14"),
    "libxslt": ("libxslt.so.1.1.35", "text/xsl\0" + "10135\0", "1.1.35"),
    "icu": ("libicuuc-1f0c2a3b.so.72.1", "nynorsk\0" + "72.1\0CHAST", "72.1"),
    "libjpeg": ("libjpeg-fiona-320f4797.so.9.6.0", "\0" + "9f  14-Jan-2024\0Copyright", "9f"),
    "libxml2:lxml": ("etree.cpython-311-x86_64-linux-gnu.so", "lxml.etree\0" + "21406\0" + "6.1.3\0", "2.14.6"),
    "libxslt:lxml": ("etree.abi3.so", "lxml.etree\0" + "10143\0", "1.1.43"),
    "openssl:inside": ("_rust.abi3.so", "B\0OpenSSL 3.5.4 30 Sep 2025\0", "3.5.4"),
    "nghttp2": ("libnghttp2.so.14.24.1", "\xff" + "1.52.0\0\0\0\0", "1.52.0"),
}


def search(name: str, data: bytes, step: int = 1 << 20, rules: tuple[Rule, ...] | None = None) -> dict[str, str]:
    found = Search(name, rules_for(name) if rules is None else rules)
    for start in range(0, len(data), step):
        found.feed(data[start : start + step])
    found.feed(b"", last=True)
    return dict(found.hits())


def test_every_rule_has_a_sample() -> None:
    assert set(SAMPLES) == set(all_rules())


@pytest.mark.parametrize("rule", SAMPLES)
def test_a_rule_finds_its_program_in_a_file_of_its_name_only(rule: str) -> None:
    name, text, version = SAMPLES[rule]
    data = bytes(3000) + text.encode("latin-1") + bytes(3000)
    assert rule in {each.name for each in rules_for(name)}
    assert search(name, data)[rule] == version
    assert search(name, bytes(6000)) == {}
    assert rules_for("x" + name) == ()


@pytest.mark.parametrize("rule", all_rules().values(), ids=lambda rule: rule.name)
def test_the_index_by_the_first_letters_misses_no_name(rule: Rule) -> None:
    for each in classifiers._alternatives(rule.files):
        letters = re.match(r"_?[A-Za-z]*", each)
        assert letters is not None
        assert len(letters[0]) > 1
        # A last letter that may be missing, or a group right behind, would make another key of some names.
        assert not re.match(r"[?*{]|\(\?:[A-Za-z|]", each[letters.end() :])


@pytest.mark.parametrize("rule", all_rules().values(), ids=lambda rule: rule.name)
def test_a_fixed_word_is_part_of_what_is_matched(rule: Rule) -> None:
    for each in rule.finds:
        assert re.compile(each.pattern.replace(b"<v>", b"3")).groupindex.keys() == {"version"}
        assert len(each.word) > 1
        assert b".*" not in each.pattern


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(SAMPLES)), st.integers(0, 2500), st.integers(60, 1500))
def test_pieces_make_no_difference(rule: str, before: int, step: int) -> None:
    name, text, version = SAMPLES[rule]
    data = bytes(before) + b"\x01\0" + text.encode("latin-1") + b"\0\0\0\0" + bytes(600)
    assert search(name, data, step)[rule] == version


def test_what_took_over_the_strings_of_another_is_not_taken_for_it() -> None:
    maria = b"/build/mysql-5.5.5/sql\0" + b"10.11.19-MariaDB\0"
    assert search("mysqld", maria) == {"mariadb": "10.11.19"}
    resty = b"nginx version: openresty/1.21.4.1\n"
    assert search("nginx", resty) == {"openresty": "1.21.4.1"}
    key = b"redis_version:%s\0" + b"8.0.1buildkitsandbox-1712345678\0" + b"valkey"
    assert search("redis-server", key) == {}


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("5.0.0\0" + "6.2.14\0c11-builtin\0", "6.2.14"),
        ("7.2.4buildkitsandbox-1712345678", "7.2.4"),
        ("7.2.14f2c19aa0b7e-1712345678", "7.2.1"),
        ("7.0.15builder-host-1712345678", "7.0.15"),
        ("A7.0.151790282056000000000\0", "7.0.15"),
        ("5.0.0\0", None),
    ],
)
def test_redis_by_what_stands_beside_its_version(text: str, version: str | None) -> None:
    data = b"redis_version:%s\0" + text.encode() + bytes(99)
    assert search("redis-server", data).get("redis") == version


@pytest.mark.parametrize(
    ("rule", "name", "text", "version"),
    [
        ("arangodb", "arangod", "\0" + "3.12.1-3 enterprise [linux]\0", "3.12.1-3"),
        ("cabal", "cabal", "\0Cabal-3.8.1.0-inplace:Distribution", "3.8.1.0"),
        ("chrome", "chrome", "\0" + "121.0.6167.85\0Default", "121.0.6167.85"),
        ("dart", "dart", '"GC"\0' + "3.7.0-118.2.beta (beta) (Tue Nov 5", "3.7.0-118.2.beta"),
        ("deno", "deno", "x1.9.2" + "d1" * 20 + "DENO_DIR", "1.9.2"),
        ("deno", "deno", "standalone.rsdeno-canary/" + "e2" * 20 + "1.12.1dlwindows", "1.12.1"),
        ("deno", "deno", "standalone.rsdeno-" + "4b" * 20 + "1.17.2release/vdlwindows", "1.17.2"),
        ("deno", "deno", "standalonedeno-" + "4b" * 20 + "release/v1.27.1windows", "1.27.1"),
        ("elastic-agent", "elastic-agent", "3:04PM8.10.1:https<-", "8.10.1"),
        ("envoy", "envoy", "{}\0" + "1.27.3\0x\0envoy/extensions/network", "1.27.3"),
        ("envoy", "envoy", "::/0\0" + "1.29.2\0source/common/buffer", "1.29.2"),
        ("envoy", "envoy", "NO\0" + "1.19.2-dev\0RELEASE\0", "1.19.2-dev"),
        ("erlang", "beam.smp", "\0" + "25.2.1\0\0Erlang/OTP 25%s [erts", "25.2.1"),
        ("ffmpeg:library", "libavcodec-0ab1c2d3.so.59.37.100", "FFmpeg version 6.1.1\0", "6.1.1"),
        ("filebeat", "filebeat", "createplugin8.17.1globalclient", "8.17.1"),
        ("fluent-bit", "fluent-bit", "\0" + "1.8.2\0\x1b[1m\0%sFluent Bit v%s%s", "1.8.2"),
        ("ghc", "ghc", "libHSghc-7.8.4-4iAbCDefGh12345-ghc7.8.4.so\0", "7.8.4"),
        ("haproxy", "haproxy", "\0" + "2.9.1-6d39cab\0\0\0HAProxy version follows", "2.9.1"),
        ("haproxy", "haproxy", "version 3.2-dev5-abc1234, released 2025", "3.2-dev5"),
        ("jre", "java", "\0" + "17.0.2+8-86\0" + "0.0\0java\0", "17.0.2"),
        ("julia", "libjulia-internal.so.1.12", "__init__\0" + "1.12.2\0branch\0commit", "1.12.2"),
        ("julia", "libjulia.so.1", "\0#kw#\0" + "0.7.0-rc2\0_require_dependencies\0", "0.7.0-rc2"),
        ("mariadb", "mariadb", "/usr/src/debug/mariadb-11.4.2-1-x86_64/storage", "11.4.2"),
        ("mysql-cluster", "mysqld", "gpl\0" + "5.7.30-ndb-7.6.14\0", "7.6.14"),
        ("mysql-server", "mysqld", "gpl\0" + "5.7.30-ndb-7.6.14\0", "5.7.30"),
        ("bzip2", "libbz2-a273e504.so.1.0.6", "\0" + "1.0.6, 6-Sept-2010\0", "1.0.6"),
        ("curl:library", "libcurl.so.4.5.0", "\0CLIENT libcurl 7.61.1\r\nMATCH", "7.61.1"),
        ("sqlite", "libsqlite3-66256cf9.so.3.50.4", "\x01" + "3.50.4\0\0", "3.50.4"),
        ("zstd:library", "libzstd.so.1.5.7", "\0zstd-1.5.7/lib\0" + "1.5.7\0Computing", "1.5.7"),
        ("nghttp2", "libnghttp2.so.14", "via\0" + "1.65.0\0CONNECT", "1.65.0"),
        # AArch64: mov, movk, ret.
        ("libwebp", "libwebp.so.7", "\0WebPGetDecoderVersion\0\0\xc0\x80\x52\x20\0\xa0\x72\xc0\x03\x5f\xd6", "1.6.0"),
        ("lcms2", "liblcms2.so.2", "\0cmsGetEncodedCMMversion\0\xc0\x11\x81\x52\xc0\x03\x5f\xd6", "2.19"),
        ("node", "node", "\0node v0.10.40\0", "0.10.40"),
        ("openldap", "slapd", "@(#) $OpenLDAP: slapd 2.6.7 (Jan 29 2024", "2.6.7"),
        ("node", "node", "\0v5.12.0\0", "5.12.0"),
        ("openjdk", "java", "\0" + "0.0\0\0" + "17.0.10+7\0\0\0openjdk\0java\0", "17.0.10"),
        ("postgresql", "postgres", "?PostgreSQL 9.6beta2 on x86_64", "9.6beta2"),
        ("qtbase", "libQtCore.so.4.8.7", "QtCore library version 4.8.7\n", "4.8.7"),
        ("redis", "redis-server", "redis_version:%s\0Server started, Redis version 3.0.7\0", "3.0.7"),
        ("ruby", "ruby", "\0ruby 1.9.3p484 (2013-11-22 revision 43786)", "1.9.3p484"),
        ("ruby", "ruby", "\0ruby 3.5.0preview1 (2025-04-18 master", "3.5.0preview1"),
        ("vault", "vault", "0.0.0.00x%016x1.13.12123-abc19531252.5.4.3", "1.13.12"),
        ("vault", "vault", "secondsindex_state1.19.0-rc2", "1.19.0-rc2"),
        ("python:library", "libpython3.11.so.1.0", "FRAMEWORK\0/root/.pyenv/versions/3.11.7\0/usr/lib/3.1\0", "3.11.7"),
        ("python:library", "libpython3.6m.so.1.0", "\0/tmp/build.1/Python-3.6.15\0", "3.6.15"),
    ],
)
def test_other_forms_that_builds_have(rule: str, name: str, text: str, version: str) -> None:
    assert search(name, bytes(300) + text.encode("latin-1") + bytes(300))[rule] == version


def test_an_old_openssl_with_the_fips_module_is_its_own_release_not_one_it_is_compatible_with() -> None:
    text = (
        b"\0OpenSSL 1.0.1e-fips 11 Feb 2013\0OpenSSL 1.0.2k-fips  26 Jan 2017\0SHA1 part of OpenSSL 1.0.2k-fips  26 Jan"
    )
    assert search("libcrypto-d3570994.so.1.0.2k", text) == {"openssl:library": "1.0.2k"}
    assert search("openssl", b"\0OpenSSL 1.0.2k-fips  26 Jan 2017\0") == {"openssl": "1.0.2k"}


def test_a_library_with_the_interface_of_openssl_is_not_openssl() -> None:
    text = b"\0OpenSSL 1.1.1 (compatible; AWS-LC 1.40.0)\0"
    assert search("openssl", text) == {"aws-lc": "1.40.0"}
    assert search("libcrypto.so", b"\0OpenSSL 1.1.1 (compatible; BoringSSL)\0") == {}


def test_weak_evidence_that_contradicts_itself_is_none() -> None:
    assert search("jq", b"\0" + b"1.6\0" + b"\0" + b"1.7.1\0") == {}
    assert search("jq", b"\0" + b"1.6\0" + b"\0" + b"1.6\0") == {"jq": "1.6"}


def test_two_places_of_installation_say_nothing_of_a_python() -> None:
    content = b"\0/opt/python/3.11.7\0/opt/python/3.11.8\0"
    assert search("libpython3.11.so.1.0", content) == {}
    assert search("libpython3.11.so.1.0", content + b"3.11.9\0") == {"python:library": "3.11.9"}


def test_what_a_rule_needs_besides() -> None:
    assert search("zstd", b"\0v1.5.4\0") == {}


def test_a_version_that_is_cut_off_at_the_end_of_a_piece_is_read_whole() -> None:
    data = b"BusyBox v1.35.17 (x)"
    for cut in range(len(data)):
        found = Search("busybox", rules_for("busybox"))
        found.feed(data[:cut])
        found.feed(data[cut:] + bytes(AFTER))
        found.feed(b"", last=True)
        assert found.hits() == [("busybox", "1.35.17")]


def test_no_content_makes_it_look_forever() -> None:
    rule = Rule("x", "xx", (find("aa", r"aa<n>b", sole=True),))
    found = Search("xx", (rule,))
    found.feed(b"a" * (MAX_HITS * 3))
    found.feed(b"aa1.2b", last=True)
    assert found._counts[0, 0] == MAX_HITS
    assert found.hits() == []


def test_a_search_is_done_when_nothing_better_can_come() -> None:
    for text, done in (("nothing", False), ("/otp_src_25.3/erts/", True), ("/otp-25.3/erts/", False)):
        found = Search("erlexec", rules_for("erlexec"))
        found.feed(text.encode() + bytes(AFTER + 1))
        assert found.done is done
    found = Search("nginx", rules_for("nginx"))
    found.feed(b"nginx version: nginx/1.22.1" + bytes(AFTER + 1))
    assert not found.done, "what makes it something else may follow"


def test_libraries_that_were_linked_into_one_file_are_each_found() -> None:
    name = "etree.cpython-312-x86_64-linux-gnu.so"
    found = Search(name, rules_for(name))
    found.feed(b"lxml.etree\0" + b"21406\0" + bytes(AFTER + 1))
    assert not found.done, "the other may follow"
    found.feed(b"\0" + b"10143\0" + bytes(AFTER + 1), last=True)
    assert dict(found.hits()) == {"libxml2:lxml": "2.14.6", "libxslt:lxml": "1.1.43"}


@pytest.mark.parametrize(
    ("rule", "name", "symbol", "number", "version"),
    [
        ("libwebp", "libwebp.so.7", "WebPGetDecoderVersion", 0x010302, "1.3.2"),
        ("libwebp", "libwebp.so.7", "WebPGetDecoderVersion", 0x01FF00, None),
        ("brotli", "libbrotlidec.so.1", "BrotliDecoderVersion", 0x01000009, "1.0.9"),
        ("brotli", "libbrotlienc.so.1", "BrotliEncoderVersion", 0x01FFF001, None),
        ("lcms2", "liblcms2.so.2", "cmsGetEncodedCMMversion", 2131, "2.13.1"),
        ("lcms2", "liblcms2.so.2", "cmsGetEncodedCMMversion", 1999, None),
        ("libpq", "libpq.so.5", "PQlibVersion", 150020, "15.20"),
        ("libpq", "libpq.so.5", "PQlibVersion", 90624, "9.6.24"),
        ("libpq", "libpq.so.5", "PQlibVersion", 109999, None),
    ],
)
def test_what_a_function_returns(rule: str, name: str, symbol: str, number: int, version: str | None) -> None:
    text = f"\0{symbol}\0".encode()
    x86 = b"\xb8" + number.to_bytes(4, "little") + b"\xc3"
    assert search(name, text + bytes(99) + x86 + bytes(99)).get(rule) == version
    assert search(name, bytes(99) + x86 + bytes(99)) == {}, "its name is the proof that there is such a function"
    arm = _move(0x52800000, number & 0xFFFF) + (_move(0x72A00000, number >> 16) if number >> 16 else b"") + RETURN
    assert search(name, text + bytes(99) + arm + bytes(99)).get(rule) == version


def test_two_functions_that_return_other_versions_say_nothing() -> None:
    code = b"\xb8\0\x06\x01\0\xc3" + bytes(20) + b"\xb8\x02\x03\x01\0\xc3"
    assert search("libwebp.so.7", b"\0WebPGetDecoderVersion\0" + code) == {}
    elsewhere = _move(0x52800001, 0x0600) + _move(0x72A00001, 1) + RETURN
    assert search("libwebp.so.7", b"\0WebPGetDecoderVersion\0\0" + elsewhere) == {}, "into another register"


RETURN = b"\xc0\x03\x5f\xd6"


def _move(instruction: int, value: int) -> bytes:
    return (instruction | value << 5).to_bytes(4, "little")


def test_what_only_has_a_librarys_name_is_none() -> None:
    # Java's own, which has zlib's number in it.
    assert not {"libzip"} & {each.name for each in rules_for("libzip.so")}
