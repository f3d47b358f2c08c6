"""Libraries whose classes were merged into another's archive, under their own name or a relocated one.

Tools that shade leave the Maven metadata of each mostly in place; where they are missing nothing tells a version, but
that the code is there its directories do: ``shaded_package/io/netty/handler/ssl``.
"""

from __future__ import annotations

from collections.abc import Iterable

_SIGNS = {
    b"ch/qos/logback/core": "ch.qos.logback:logback-core",
    b"com/alibaba/fastjson/parser": "com.alibaba:fastjson",
    b"com/fasterxml/jackson/databind": "com.fasterxml.jackson.core:jackson-databind",
    b"com/google/common/collect": "com.google.guava:guava",
    b"com/google/gson": "com.google.code.gson:gson",
    b"com/google/protobuf": "com.google.protobuf:protobuf-java",
    b"com/hazelcast/core": "com.hazelcast:hazelcast",
    b"com/nimbusds/jose": "com.nimbusds:nimbus-jose-jwt",
    b"com/thoughtworks/xstream": "com.thoughtworks.xstream:xstream",
    b"io/netty/handler/codec/http": "io.netty:netty-codec-http",
    b"io/netty/handler/codec/http2": "io.netty:netty-codec-http2",
    b"io/netty/handler/ssl": "io.netty:netty-handler",
    b"io/undertow/server": "io.undertow:undertow-core",
    b"okhttp3/internal/http2": "com.squareup.okhttp3:okhttp",
    b"org/apache/catalina/core": "org.apache.tomcat:tomcat-catalina",
    b"org/apache/commons/beanutils": "commons-beanutils:commons-beanutils",
    b"org/apache/commons/collections/functors": "commons-collections:commons-collections",
    b"org/apache/commons/compress/archivers": "org.apache.commons:commons-compress",
    b"org/apache/commons/fileupload": "commons-fileupload:commons-fileupload",
    b"org/apache/commons/text/lookup": "org.apache.commons:commons-text",
    b"org/apache/http/impl/client": "org.apache.httpcomponents:httpclient",
    b"org/apache/log4j/net": "log4j:log4j",
    b"org/apache/logging/log4j/core/lookup": "org.apache.logging.log4j:log4j-core",
    b"org/apache/velocity/runtime": "org.apache.velocity:velocity-engine-core",
    b"org/bouncycastle/jce/provider": "org.bouncycastle:bcprov",
    b"org/codehaus/jettison/json": "org.codehaus.jettison:jettison",
    b"org/eclipse/jetty/server": "org.eclipse.jetty:jetty-server",
    b"org/h2/engine": "com.h2database:h2",
    b"org/postgresql/core": "org.postgresql:postgresql",
    b"org/springframework/core/io": "org.springframework:spring-core",
    b"org/yaml/snakeyaml": "org.yaml:snakeyaml",
}
"""Directories that have classes of a library that advisories speak of often, and no other's."""
_LAST = frozenset(sign[sign.rfind(b"/") + 1 :] for sign in _SIGNS)
_LEVELS = 6


def signs(directories: Iterable[bytes]) -> list[str]:
    """The libraries that have classes there, by group and artifact, sorted."""
    found = set()
    for directory in directories:
        if directory[directory.rfind(b"/") + 1 :] in _LAST:
            found |= {_SIGNS[tail] for tail in _tails(directory) if tail in _SIGNS}
    return sorted(found)


def untold(found: Iterable[str], known: Iterable[str], package: str) -> list[str]:
    """Those of which no metadata tell: ``known`` artifacts are listed, and of ``package`` is the archive itself."""
    names = [name.lower() for name in known]
    own = {name for sign, name in _SIGNS.items() if _root(sign) in f".{package}."}
    return [each for each in found if each not in own and not _is_listed(each.partition(":")[2], names)]


def _is_listed(artifact: str, names: Iterable[str]) -> bool:
    """Whether an artifact is listed, also as a variant: ``bcprov-jdk15on``, ``netty-all``, ``tomcat-embed-core``."""
    family = artifact.partition("-")[0]
    return any(
        name in (artifact, f"{family}-all") or name.startswith((f"{artifact}-", f"{family}-embed")) for name in names
    )


def _root(sign: bytes) -> str:
    """The first parts of a directory, as they stand in the name of a package."""
    return "." + ".".join(sign.decode().split("/")[:3]) + "."


def _tails(directory: bytes) -> Iterable[bytes]:
    parts = directory.split(b"/")
    return (b"/".join(parts[-count:]) for count in range(1, min(len(parts), _LEVELS) + 1))
