"""Which Maven group an artifact belongs to, where nothing but its name and the package of its classes tells.

Jars that Gradle, Ant and sbt made have no Maven metadata, and advisories name ``group:artifact``. The tables hold those
that are met most; packages and groups as Maven Central has them.
"""

from __future__ import annotations

import re
from functools import cache

# Start of the package of the classes → group. The longest that fits counts.
_PACKAGES = """
akka                                com.typesafe.akka
android.support                     com.android.support
ch.qos.logback                      ch.qos.logback
com.amazonaws                       com.amazonaws
com.beust.jcommander                com.beust
com.datastax.oss                    com.datastax.oss
com.esotericsoftware                com.esotericsoftware
com.fasterxml.jackson.core          com.fasterxml.jackson.core
com.fasterxml.jackson.databind      com.fasterxml.jackson.core
com.fasterxml.jackson.annotation    com.fasterxml.jackson.core
com.fasterxml.jackson.dataformat    com.fasterxml.jackson.dataformat
com.fasterxml.jackson.datatype      com.fasterxml.jackson.datatype
com.fasterxml.jackson.module        com.fasterxml.jackson.module
com.github.luben                    com.github.luben
com.google.gson                     com.google.code.gson
com.google.inject                   com.google.inject
com.google.protobuf                 com.google.protobuf
com.google.common                   com.google.guava
com.ibm.icu                         com.ibm.icu
com.ibm.db2                         com.ibm.db2
com.mchange                         com.mchange
com.microsoft.sqlserver             com.microsoft.sqlserver
com.mongodb                         org.mongodb
com.mysql.cj                        com.mysql
com.netflix.eureka                  com.netflix.eureka
com.netflix.zuul                    com.netflix.zuul
com.ongres.scram                    com.ongres.scram
com.rabbitmq                        com.rabbitmq
com.squareup.okhttp3                com.squareup.okhttp3
com.sun.jna                         net.java.dev.jna
com.sun.mail                        com.sun.mail
com.thoughtworks.xstream            com.thoughtworks.xstream
com.typesafe.config                 com.typesafe
com.typesafe.play                   com.typesafe.play
com.zaxxer.hikari                   com.zaxxer
freemarker                          org.freemarker
info.picocli                        info.picocli
io.grpc                             io.grpc
io.ktor                             io.ktor
io.micrometer                       io.micrometer
io.micronaut                        io.micronaut
io.netty                            io.netty
io.opentelemetry                    io.opentelemetry
io.perfmark                         io.perfmark
io.projectreactor                   io.projectreactor
io.quarkus                          io.quarkus
io.reactivex                        io.reactivex
io.undertow                         io.undertow
io.vertx                            io.vertx
jakarta.activation                  jakarta.activation
jakarta.annotation                  jakarta.annotation
jakarta.el                          jakarta.el
jakarta.servlet                     jakarta.servlet
javax.servlet                       javax.servlet
kotlin                              org.jetbrains.kotlin
kotlinx                             org.jetbrains.kotlinx
net.bytebuddy                       net.bytebuddy
net.jpountz                         org.lz4
net.sf.ehcache                      net.sf.ehcache
net.sf.jasperreports                net.sf.jasperreports
net.sf.saxon                        net.sf.saxon
okhttp3                             com.squareup.okhttp3
okio                                com.squareup.okio
oracle.jdbc                         com.oracle.database.jdbc
org.apache.activemq                 org.apache.activemq
org.apache.avro                     org.apache.avro
org.apache.axis                     org.apache.axis
org.apache.axis2                    org.apache.axis2
org.apache.batik                    org.apache.xmlgraphics
org.apache.camel                    org.apache.camel
org.apache.cassandra                org.apache.cassandra
org.apache.commons.beanutils        commons-beanutils
org.apache.commons.cli              commons-cli
org.apache.commons.codec            commons-codec
org.apache.commons.collections      commons-collections
org.apache.commons.collections4     org.apache.commons
org.apache.commons.compress         org.apache.commons
org.apache.commons.configuration    commons-configuration
org.apache.commons.configuration2   org.apache.commons
org.apache.commons.dbcp             commons-dbcp
org.apache.commons.dbcp2            org.apache.commons
org.apache.commons.digester         commons-digester
org.apache.commons.discovery        commons-discovery
org.apache.commons.fileupload       commons-fileupload
org.apache.commons.httpclient       commons-httpclient
org.apache.commons.io               commons-io
org.apache.commons.jexl             commons-jexl
org.apache.commons.jxpath           commons-jxpath
org.apache.commons.lang             commons-lang
org.apache.commons.lang3            org.apache.commons
org.apache.commons.logging          commons-logging
org.apache.commons.math             commons-math
org.apache.commons.math3            org.apache.commons
org.apache.commons.net              commons-net
org.apache.commons.pool             commons-pool
org.apache.commons.pool2            org.apache.commons
org.apache.commons.text             org.apache.commons
org.apache.commons.validator        commons-validator
org.apache.commons                  org.apache.commons
org.apache.cxf                      org.apache.cxf
org.apache.derby                    org.apache.derby
org.apache.fop                      org.apache.xmlgraphics
org.apache.hadoop.hbase             org.apache.hbase
org.apache.hadoop.hive              org.apache.hive
org.apache.hadoop                   org.apache.hadoop
org.apache.hc.client5               org.apache.httpcomponents.client5
org.apache.hc.core5                 org.apache.httpcomponents.core5
org.apache.http                     org.apache.httpcomponents
org.apache.ivy                      org.apache.ivy
org.apache.kafka                    org.apache.kafka
org.apache.log4j                    log4j
org.apache.logging.log4j            org.apache.logging.log4j
org.apache.logging.slf4j            org.apache.logging.log4j
org.apache.lucene                   org.apache.lucene
org.apache.oro                      oro
org.apache.pdfbox                   org.apache.pdfbox
org.apache.poi                      org.apache.poi
org.openxmlformats.schemas          org.apache.poi
org.apache.regexp                   regexp
org.apache.shiro                    org.apache.shiro
org.apache.solr                     org.apache.solr
org.apache.spark                    org.apache.spark
org.apache.struts2                  org.apache.struts
org.apache.thrift                   org.apache.thrift
org.apache.tika                     org.apache.tika
org.apache.tools.ant                org.apache.ant
org.apache.velocity                 velocity
org.apache.wss4j                    org.apache.wss4j
org.apache.xerces                   xerces
org.apache.xml.resolver             xml-resolver
org.apache.xml.security             org.apache.santuario
org.apache.xml.serializer           xalan
org.apache.xmlbeans                 org.apache.xmlbeans
org.apache.xmlrpc                   org.apache.xmlrpc
org.apache.zookeeper                org.apache.zookeeper
org.aspectj                         org.aspectj
org.bouncycastle                    org.bouncycastle
org.bson                            org.mongodb
org.checkerframework                org.checkerframework
org.codehaus.groovy                 org.codehaus.groovy
org.codehaus.jackson                org.codehaus.jackson
org.codehaus.janino                 org.codehaus.janino
org.codehaus.jettison               org.codehaus.jettison
org.codehaus.plexus                 org.codehaus.plexus
org.dom4j                           org.dom4j
org.eclipse.jetty                   org.eclipse.jetty
org.elasticsearch                   org.elasticsearch
org.elasticsearch.client            org.elasticsearch.client
org.glassfish.jersey                org.glassfish.jersey.core
org.gradle                          org.gradle
org.h2                              com.h2database
org.hamcrest                        org.hamcrest
org.hibernate.annotations.common    org.hibernate.common
org.hibernate.validator             org.hibernate.validator
org.hibernate                       org.hibernate
org.hsqldb                          org.hsqldb
org.infinispan                      org.infinispan
org.jasypt                          org.jasypt
org.jboss.logging                   org.jboss.logging
org.jboss.netty                     org.jboss.netty
org.jdom                            org.jdom
org.jdom2                           org.jdom
org.jruby                           org.jruby
org.jsoup                           org.jsoup
org.junit.jupiter                   org.junit.jupiter
org.junit.platform                  org.junit.platform
org.junit.vintage                   org.junit.vintage
org.keycloak                        org.keycloak
org.mariadb.jdbc                    org.mariadb.jdbc
org.mozilla.javascript              org.mozilla
org.mockito                         org.mockito
org.mortbay                         org.mortbay.jetty
org.neo4j                           org.neo4j
org.objenesis                       org.objenesis
org.opensaml                        org.opensaml
org.opensearch                      org.opensearch
org.opentest4j                      org.opentest4j
org.postgresql                      org.postgresql
org.quartz                          org.quartz-scheduler
org.reactivestreams                 org.reactivestreams
org.scalatest                       org.scalatest
org.slf4j                           org.slf4j
org.springframework                 org.springframework
org.springframework.amqp            org.springframework.amqp
org.springframework.batch           org.springframework.batch
org.springframework.boot            org.springframework.boot
org.springframework.cloud           org.springframework.cloud
org.springframework.data            org.springframework.data
org.springframework.hateoas         org.springframework.hateoas
org.springframework.integration     org.springframework.integration
org.springframework.kafka           org.springframework.kafka
org.springframework.ldap            org.springframework.ldap
org.springframework.plugin          org.springframework.plugin
org.springframework.retry           org.springframework.retry
org.springframework.security        org.springframework.security
org.springframework.session         org.springframework.session
org.springframework.webflow         org.springframework.webflow
org.springframework.ws              org.springframework.ws
org.sqlite                          org.xerial
org.testng                          org.testng
org.thymeleaf                       org.thymeleaf
org.w3c.css                         org.w3c.css
org.wildfly.security                org.wildfly.security
org.xerial.snappy                   org.xerial.snappy
org.xmlpull                         xmlpull
org.xnio                            org.jboss.xnio
org.yaml.snakeyaml                  org.yaml
picocli                             info.picocli
play                                com.typesafe.play
reactor                             io.projectreactor
reactor.netty                       io.projectreactor.netty
redis.clients.jedis                 redis.clients
retrofit2                           com.squareup.retrofit2
scala                               org.scala-lang
software.amazon.awssdk              software.amazon.awssdk
"""

# Artifact (a * at its end stands for anything) → group, where classes say nothing or something else.
_ARTIFACTS = """
activation                            javax.activation
ant                                   org.apache.ant
ant-*                                 org.apache.ant
aopalliance                           aopalliance
api-common                            com.google.api
asm                                   asm
asm-*                                 asm
aspectjrt                             org.aspectj
aspectjweaver                         org.aspectj
c3p0                                  com.mchange
caffeine                              com.github.ben-manes.caffeine
cglib                                 cglib
cglib-nodep                           cglib
chill                                 com.twitter
chill-*                               com.twitter
chill_*                               com.twitter
derby*                                org.apache.derby
ecj                                   org.eclipse.jdt
el-api                                javax.el
gdx                                   com.badlogicgames.gdx
gdx-*                                 com.badlogicgames.gdx
graphql-java                          com.graphql-java
groovy                                org.codehaus.groovy
groovy-*                              org.codehaus.groovy
grpc-*                                io.grpc
guice-*                               com.google.inject.extensions
hamcrest-*                            org.hamcrest
hbase-shaded-*                        org.apache.hbase.thirdparty
htmlunit                              net.sourceforge.htmlunit
ivy                                   org.apache.ivy
java-jwt                              com.auth0
javax.inject                          javax.inject
javax.servlet-api                     javax.servlet
jets3t                                net.java.dev.jets3t
jetty-jakarta-*                       org.eclipse.jetty.toolchain
jetty-javax-*                         org.eclipse.jetty.toolchain
jetty-servlet-api                     org.eclipse.jetty.toolchain
jfreechart                            org.jfree
jna                                   net.java.dev.jna
jna-platform                          net.java.dev.jna
jnats                                 io.nats
json-simple                           com.googlecode.json-simple
jsp-api                               javax.servlet.jsp
jsr305                                com.google.code.findbugs
jstl                                  javax.servlet
junit                                 junit
jython*                               org.python
kafka_*                               org.apache.kafka
kotlin-*                              org.jetbrains.kotlin
kotlinx-*                             org.jetbrains.kotlinx
log4j                                 log4j
log4j-*                               org.apache.logging.log4j
mssql-jdbc                            com.microsoft.sqlserver
mysql-connector-j                     com.mysql
mysql-connector-java                  mysql
newrelic-api                          com.newrelic.agent.java
ojdbc*                                com.oracle.database.jdbc
opencensus-*                          io.opencensus
oro                                   oro
polyglot                              org.graalvm.polyglot
re2j                                  com.google.re2j
rxjava                                io.reactivex
scala-collection-compat_*             org.scala-lang.modules
scala-compiler                        org.scala-lang
scala-java8-compat_*                  org.scala-lang.modules
scala-library                         org.scala-lang
scala-logging_*                       com.typesafe.scala-logging
scala-parser-combinators_*            org.scala-lang.modules
scala-reflect                         org.scala-lang
scala-xml_*                           org.scala-lang.modules
scala3-*                              org.scala-lang
scalap                                org.scala-lang
selenium-*                            org.seleniumhq.selenium
servlet-api                           javax.servlet
spring-amqp                           org.springframework.amqp
spring-batch-*                        org.springframework.batch
spring-boot                           org.springframework.boot
spring-boot-*                         org.springframework.boot
spring-cloud-*                        org.springframework.cloud
spring-data-*                         org.springframework.data
spring-graphql                        org.springframework.graphql
spring-hateoas                        org.springframework.hateoas
spring-integration-*                  org.springframework.integration
spring-jcl                            org.springframework
spring-kafka                          org.springframework.kafka
spring-ldap-*                         org.springframework.ldap
spring-plugin-*                       org.springframework.plugin
spring-rabbit                         org.springframework.amqp
spring-retry                          org.springframework.retry
spring-security-*                     org.springframework.security
spring-security-oauth                 org.springframework.security.oauth
spring-security-oauth2                org.springframework.security.oauth
spring-security-oauth2-autoconfigure  org.springframework.security.oauth.boot
spring-session-*                      org.springframework.session
spring-vault-*                        org.springframework.vault
spring-webflow                        org.springframework.webflow
spring-ws-*                           org.springframework.ws
spymemcached                          net.spy
ssl-config-core_*                     com.typesafe
stanford-corenlp                      edu.stanford.nlp
stripe-java                           com.stripe
struts                                struts
struts2-*                             org.apache.struts
tink                                  com.google.crypto.tink
tomcat-*                              org.apache.tomcat
tomcat-embed-*                        org.apache.tomcat.embed
trino-*                               io.trino
unboundid-ldapsdk                     com.unboundid
wsdl4j                                wsdl4j
xalan                                 xalan
xercesImpl                            xerces
xml-apis                              xml-apis
xml-apis-ext                          xml-apis
xmlParserAPIs                         xerces
xmlenc                                xmlenc
xom                                   xom
"""

# Groups that were called otherwise before a version: group → (first version, group), the newest first.
_SINCE: dict[str, tuple[tuple[tuple[int, ...], str], ...]] = {
    "asm": (((4,), "org.ow2.asm"), ((), "asm")),
    "com.mchange": (((0, 9, 2), "com.mchange"), ((), "c3p0")),
    "io.reactivex": (((3,), "io.reactivex.rxjava3"), ((2,), "io.reactivex.rxjava2"), ((), "io.reactivex")),
    "org.codehaus.groovy": (((4,), "org.apache.groovy"), ((), "org.codehaus.groovy")),
    "org.dom4j": (((2,), "org.dom4j"), ((), "dom4j")),
    "org.hibernate": (((6,), "org.hibernate.orm"), ((), "org.hibernate")),
    "org.hibernate.validator": (((6,), "org.hibernate.validator"), ((), "org.hibernate")),
    "org.hsqldb": (((2,), "org.hsqldb"), ((), "hsqldb")),
    "org.jfree": (((1, 0, 14), "org.jfree"), ((), "jfree")),
    "net.sourceforge.htmlunit": (((3,), "org.htmlunit"), ((), "net.sourceforge.htmlunit")),
    "org.quartz-scheduler": (((1, 8), "org.quartz-scheduler"), ((1, 6), "org.opensymphony.quartz"), ((), "quartz")),
    "velocity": (((2,), "org.apache.velocity"), ((), "velocity")),
}
_ONLY = {"com.mchange": "c3p0", "io.reactivex": "rxjava"}
"""Where that is so of one artifact of the group alone."""
_DEBIAN = re.compile(r"^tomcat\d{1,2}-")
_NUMBERS = re.compile(r"\d{1,9}")


def known_group(artifact: str, package: str, version: str) -> str:
    """The group by the tables, empty where they say nothing; ``package`` is that of most classes."""
    group = _by_artifact(artifact) or _by_package(package)
    if _ONLY.get(group, artifact) == artifact:
        numbers = tuple(map(int, _NUMBERS.findall(version[:60])[:3]))
        for first, name in _SINCE.get(group, ()):
            if not version or numbers >= first:
                return name
    return group


def in_tomcat(name: str) -> str:
    """The artifact behind a file of Tomcat's own distribution, called ``catalina.jar``, or of Debian's."""
    name = _DEBIAN.sub("tomcat-", name)
    if name.startswith("catalina-") and name not in ("catalina-ant", "catalina-ha"):
        name = name.removeprefix("catalina-")
    return name if name.startswith("tomcat") else f"tomcat-{name}"


@cache
def groups() -> frozenset[str]:
    """Every group of the tables."""
    return frozenset((*_table(_PACKAGES).values(), *_table(_ARTIFACTS).values()))


def _by_artifact(artifact: str) -> str:
    table = _table(_ARTIFACTS)
    if artifact in table:
        return table[artifact]
    fitting = [key for key in table if key.endswith("*") and artifact.startswith(key[:-1])]
    return table[max(fitting, key=len)] if fitting else ""


def _by_package(package: str) -> str:
    table = _table(_PACKAGES)
    while package:
        if package in table:
            return table[package]
        package = package.rpartition(".")[0]
    return ""


@cache
def _table(text: str) -> dict[str, str]:
    return dict(line.split() for line in text.strip().splitlines())
