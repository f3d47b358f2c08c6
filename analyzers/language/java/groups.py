"""Which Maven group an artifact belongs to, where nothing but its name and the package of its classes tells.

Jars that Gradle, Ant and sbt made have no Maven metadata, and advisories name ``group:artifact``.
"""

from __future__ import annotations

import re
from functools import cache

from anchorecli.analyzers.language.java.tables import ARTIFACTS, PACKAGES

# Groups that were called otherwise before a version: group → (first version, group), the newest first.
_SINCE: dict[str, tuple[tuple[tuple[int, ...], str], ...]] = {
    "asm": (((4,), "org.ow2.asm"), ((), "asm")),
    "com.github.tomakehurst": (((3,), "org.wiremock"), ((), "com.github.tomakehurst")),
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
_SCALA = re.compile(r"(?:_(?:sjs|native)[\d.]+)?_(?:2\.1[0-3]|3)$")
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


def leading(name: str) -> tuple[str, str]:
    """Group and artifact of ``org.ow2.asm.asm``, as Quarkus and sbt name the jars of an application.

    An artifact seldom has a dot but in Scala's suffix (``akka-actor_2.13``); where it has, it mostly begins with its
    group (``jakarta.el.jakarta.el-api``) or as that does (``org.eclipse.platform.org.eclipse.core.jobs``).
    """
    whole = _SCALA.sub("", name)
    first, *rest = whole.split(".")
    for number in range(len(rest)):
        head, tail = ".".join((first, *rest[:number])), ".".join(rest[number:])
        if tail == head or tail.startswith((f"{head}.", f"{head}-")) or (number and rest[number] == first):
            return head, name[len(head) + 1 :]
    head = whole.rpartition(".")[0]
    return head, name[len(head) + 1 :] if head else name


@cache
def groups() -> frozenset[str]:
    """Every group of the tables, under each name that it had."""
    later = (name for names in _SINCE.values() for _, name in names if "." in name)
    return frozenset((*_table(PACKAGES).values(), *_table(ARTIFACTS).values(), *later))


def _by_artifact(artifact: str) -> str:
    table = _table(ARTIFACTS)
    if artifact in table:
        return table[artifact]
    fitting = [key for key in table if key.endswith("*") and artifact.startswith(key[:-1])]
    return table[max(fitting, key=len)] if fitting else ""


def _by_package(package: str) -> str:
    table = _table(PACKAGES)
    while package:
        if package in table:
            return table[package]
        package = package.rpartition(".")[0]
    return ""


@cache
def _table(text: str) -> dict[str, str]:
    return dict(line.split() for line in text.strip().splitlines())
