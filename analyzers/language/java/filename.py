"""What an archive's file name says: ``spring-core-5.3.20.jar`` is version 5.3.20 of spring-core.

Maven's names are ``artifact-version[-classifier].ending``; OSGi's have ``_`` before the version, and sbt and JBoss put
the group in front. No rule tells an artifact's digits from a version's in all of them (``log4j-1.2-api-2.17.1``,
``kafka_2.13-3.6.1``), so a version that is known from elsewhere is looked for first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

_BREAK = re.compile(r"[-_](?=v?\d|(?:rc?|build|SNAPSHOT)-?\d*(?:[-.]|$))")
_SCALA = re.compile(r"_(?:2\.1[0-3]|3)(?=-|$)")
_QUALIFIER = re.compile(
    r"(?:alpha|beta|milestone|rc|cr|m|ea|pre|preview|dev|snapshot|final|ga|release|sp|sec|hotfix|patch|build|b|jre|jdk"
    r"|android|jakarta|java|hadoop|incubating|redhat|atlassian|cloudbees|g|p|r|v|rev|dfsg|ds|repack|linux|osx|macos"
    r"|windows|win|x86|x64|amd64|aarch|aarch64|arm|arm64|ppc64le|s390x|jboss|jenkins|empty|timestamp|qualifier)[\d_.]*",
    re.IGNORECASE,
)
_CLASSIFIER = re.compile(
    r"-(?:sources|javadoc|tests?|test-sources|test-javadoc|test-fixtures|(?:linux|osx|macos|windows|win|natives?)[-_\w]*"
    r"|all|uber|fat|shaded|with-dependencies|jar-with-dependencies|exec|boot|standalone|runner|bin|plain|original|nodep"
    r"|client-with-dependencies|jdk\d+\w*|java\d+|no_aop|classes|executable-war|embedded)$"
)
_NOT_CODE = re.compile(r"-(?:sources|javadoc|test-sources|test-javadoc|src)$|-\d.*-(?:tests?|test-fixtures)$")
_PRE = re.compile(r"-(?:alpha|beta|milestone|rc|cr|m|ea|pre|preview|snapshot)(?:[-.]?\d+)*(?=[-.]|$)", re.IGNORECASE)
_MAX_NAME = 255


class Name(NamedTuple):
    """A file's name taken apart. Both may be empty, ``version`` of what has none."""

    name: str
    version: str


def stem(path: str) -> str:
    """The base name without its ending; of an inner archive too: ``app.jar:lib/x-1.jar`` → ``x-1``.

    Of one that no file system takes, the beginning.
    """
    base = path.rpartition("/")[2].rpartition(":")[2]
    if len(base) > _MAX_NAME:
        return base[:_MAX_NAME]
    return base.rpartition(".")[0] or base


def is_code(name: str) -> bool:
    """Whether an archive of this stem is the artifact itself, not its sources, documentation or tests."""
    return not _NOT_CODE.search(name)


def split(name: str, versions: Iterable[str] = ()) -> Name:
    """The stem's name and version; ``versions`` are those that other evidence gives, the best first."""
    stated = False
    for version in versions:
        stated = True
        for separator in "-_":
            before, found, after = name.partition(f"{separator}{version}")
            if found and before and (not after or after[0] in "-_."):
                # The rest is a classifier, or more of the version: 1.5.5-1 where the manifest says 1.5.5.
                # So is a pre-release that the manifest does not tell: 0.20.0-alpha.
                longer = after[0:1] == "." or (after[1:2].isdigit() and after[0] == "-") or _PRE.match(after)
                return Name(before, _unclassified(version + after) if longer else version)
    scala = _SCALA.search(name)
    # A name that ends so has no version: cats-effect_2.13.jar. OSGi's library_3.jar has, where nothing says another.
    binary = scala is not None and (name[scala.end() :] or "." in scala[0] or stated)
    start = scala.end() if scala and binary else 0
    places = [found.start() for found in _BREAK.finditer(name, start) if found.start() > 0]
    if not places:
        return Name(name, "")
    place = next((each for each in places if _is_version(name[each + 1 :])), places[0])
    return Name(name[:place], _unclassified(name[place + 1 :]).removeprefix("v"))


def _is_version(text: str) -> bool:
    """Whether nothing follows in it that looks like the rest of a name and another version."""
    words = text.split("-")
    for number, word in enumerate(words[1:-1], start=1):
        after = words[number + 1]
        if word[:1].isalpha() and after[:1].isdigit() and not _QUALIFIER.fullmatch(word):
            return False
    return True


def _unclassified(text: str) -> str:
    while found := _CLASSIFIER.search(text):
        if not found.start():
            break
        text = text[: found.start()]
    return text
