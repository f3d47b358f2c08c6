"""Gate ``files``: names, contents, attributes and permissions of the image's files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from anchorecli.model import Demand, File, Kind, Problem
from anchorecli.policy.base import Evidence, Fire, Parameter, Trigger
from anchorecli.policy.facts.gathered import counted, lines, not_gathered, searched
from anchorecli.policy.facts.ignored import ignore_fault, ignore_parameter, ignored
from anchorecli.policy.language.parameters import Arguments
from anchorecli.policy.patterns import regex_fault
from anchorecli.tree import KIND_CODES, Tree

_TYPE_BITS = {
    Kind.FILE: 0o100000,
    Kind.HARDLINK: 0o100000,
    Kind.DIR: 0o040000,
    Kind.SYMLINK: 0o120000,
    Kind.DEVICE: 0o020000,
    Kind.FIFO: 0o010000,
}
"""inode(7): the bits of st_mode that say what a file is."""

_NO_CONTENT = "DIRECTORY_OR_OTHER"
"""What Anchore Engine's file list has in place of the digest of what is no regular file."""

_FILE_LIST = "the list of files and their permissions"
_SIGNS = re.compile("[=+-]")


# ── contents ────────────────────────────────────────────────────────────────────────────────────────────────


def _content(evidence: Evidence, arguments: Arguments) -> Iterator[Fire | Problem]:
    wanted = _named_pattern(arguments.text("regex_name"))
    patterns = lines(evidence, "contents")
    if not patterns:
        yield not_gathered("files.content_regex_match", arguments, "matches of content patterns", _CONTENT_HINT)
        return
    chosen = {pattern for pattern in patterns if not wanted or wanted in _names(pattern)}
    if not chosen:
        yield not_gathered("files.content_regex_match", arguments, f"matches of the pattern {wanted}", _CONTENT_HINT)
        return
    for match in sorted(evidence.analysis.contents):
        if match.pattern in chosen:
            yield Fire(
                f"File content analyzer found regexp match in container: file=/{match.path} regexp={match.pattern}",
                path=match.path,
            )


_CONTENT_HINT = "Give the pattern in the rule (regex_name: NAME=REGEX), or configure it and scan the image again."


def _names(pattern: str) -> tuple[str, ...]:
    """What a rule may call a pattern: whole, by its name, by its expression."""
    name, _, regex = pattern.partition("=")
    return pattern, name, regex


def _named_pattern(written: str) -> str:
    """The parameter itself, or what it is the base64 form of: Anchore Engine's own key of a pattern."""
    from base64 import b64decode

    try:
        decoded = b64decode("".join(written.split()), validate=True).decode()
    except ValueError:
        return written
    return decoded.strip("\n") if "=" in decoded else written


def _content_demand(arguments: Arguments) -> Demand:
    wanted = _named_pattern(arguments.text("regex_name"))
    name, equals, _ = wanted.partition("=")
    # What has no name before an equals sign is the name, or the expression, of a configured pattern.
    own = bool(equals) and name.replace("_", "").replace("-", "").isalnum()
    return Demand(contents=(wanted,) if own else ())


def _content_fault(arguments: Arguments) -> str:
    for pattern in _content_demand(arguments).contents:
        fault = regex_fault(pattern.partition("=")[2])
        if fault:
            return f'"regex_name" holds no usable regular expression: {fault}'
    return ""


def _content_looked_at(evidence: Evidence, _arguments: Arguments) -> str:
    return searched(evidence, "contents", "content pattern")


# ── names and attributes ────────────────────────────────────────────────────────────────────────────────────


def _name(evidence: Evidence, arguments: Arguments) -> Iterator[Fire | Problem]:
    regex, pattern = arguments.text("regex"), arguments.pattern("regex")
    if evidence.tree is None:
        yield not_gathered("files.name_match", arguments, _FILE_LIST)
    elif pattern is not None:
        for path in sorted(pattern.select(evidence.once(_paths))):
            yield Fire(f"Application of regex matched file found in container: file={path} regexp={regex}", path=path)


def _paths(evidence: Evidence) -> list[str]:
    return ["/" + path for path in evidence.tree or ()]


def _attributes(evidence: Evidence, arguments: Arguments) -> Iterator[Fire | Problem]:
    tree, name = evidence.tree, arguments.text("filename")
    if tree is None:
        yield not_gathered("files.attribute_match", arguments, _FILE_LIST)
        return
    file = _look_up(tree, name, links=not arguments.compat)
    if file is None:
        if arguments.flag("skip_missing") is False:
            yield Fire(f"filename={name} and skip_missing=False")
        return
    found: list[str] = []
    if arguments.text("checksum"):
        digest = _digest(tree, file)
        if not digest:
            yield not_gathered("files.attribute_match", arguments, "the digests of files")
            return
        found.append(_compared(arguments, "checksum", "checksum_match", digest, arguments.text("checksum")))
    if arguments.text("mode"):
        wanted = oct(int(arguments.text("mode"), 8))
        found.append(_compared(arguments, "mode", "mode_op", oct(file.mode), wanted))
    if found and all(found):
        yield Fire(f"filename={name}" + "".join(found))


def _look_up(tree: Tree, name: str, *, links: bool) -> File | None:
    path = name.strip("/")
    if links:
        real = tree.resolve(path)
        return tree.stat(real) if real is not None else None
    return tree.stat(path)


def _compared(arguments: Arguments, what: str, operator: str, actual: str, wanted: str) -> str:
    """The part of the message for a check that holds, empty for one that does not."""
    check = arguments.text(operator)
    if (actual.lower() == wanted.lower()) is not (check == "equals"):
        return ""
    return f" and {what}={actual} op={check} specified_{what}={wanted}"


def _digest(tree: Tree, file: File) -> str:
    """The sha256 of a file's content, empty where it was not computed."""
    if file.kind is Kind.HARDLINK and (source := tree.hardlink_source(file.layer, file.target)):
        index = tree.layers[source[0]]
        digest = index.digests.get(index.rows[source[1]])
        return digest.hex() if digest else ""
    return file.sha256 if file.kind in (Kind.FILE, Kind.HARDLINK) else _NO_CONTENT


def _attributes_demand(arguments: Arguments) -> Demand:
    return Demand(files=True, digests=bool(arguments.text("checksum")))


def _attributes_fault(arguments: Arguments) -> str:
    mode, checksum = arguments.text("mode"), arguments.text("checksum")
    if mode and not (set(mode.removeprefix("0o")) <= set("01234567") and mode.removeprefix("0o")):
        return f'"mode" must be octal digits, such as 0644, not {mode!r}'
    if checksum and not (len(checksum) == 64 and set(checksum.lower()) <= set("0123456789abcdef")):
        return '"checksum" must be the 64 hexadecimal digits of a sha256'
    return ""


# ── permissions ─────────────────────────────────────────────────────────────────────────────────────────────


def _suid(evidence: Evidence, arguments: Arguments) -> Iterator[Fire | Problem]:
    if evidence.tree is None:
        yield not_gathered("files.suid_or_guid_set", arguments, _FILE_LIST)
        return
    found = {"/" + path: _TYPE_BITS[kind] | mode for path, kind, mode in _with_bits(evidence.tree, 0o6000)}
    for path in sorted(found.keys() - ignored(arguments, found)):
        yield Fire(f"SUID or SGID found set on file {path}. Mode: {oct(found[path])}", path=path)


def _capable(evidence: Evidence, arguments: Arguments) -> Iterator[Fire | Problem]:
    tree = evidence.tree
    if tree is None:
        yield not_gathered("files.capabilities_set", arguments, _FILE_LIST)
        return
    wanted = frozenset(map(_plain_name, arguments.words("capability")))
    found = {"/" + path: text for path, text in _with_capabilities(tree) if not wanted or wanted & _named(text)}
    for path in sorted(found.keys() - ignored(arguments, found)):
        yield Fire(f"Capabilities found set on file {path}: {found[path]}", path=path)


def _with_capabilities(tree: Tree) -> Iterator[tuple[str, str]]:
    """The visible paths of files with capabilities, and which."""
    if not any(index.capabilities for index in tree.layers):
        return
    for number, index in enumerate(tree.layers):
        rows = {*index.capabilities, *(row for row in index.targets if index.kinds[row] == "h")}
        for row in rows:
            path = tree.canonical(number, index.paths[row])
            if tree.where(path) == (number, row) and (text := tree.capabilities(number, row)):
                yield path, text


def _named(text: str) -> frozenset[str]:
    """The names in what getcap prints; of ``=ep``, which is all of them but those it takes away, ``all``."""
    groups = text.partition(" [")[0].split()
    names = {_plain_name(name) for group in groups for name in _SIGNS.split(group)[0].split(",") if name}
    return frozenset(names | ({"all"} if text.startswith("=") else set()))


def _plain_name(name: str) -> str:
    return name.lower().removeprefix("cap_")


def _world_writable(evidence: Evidence, arguments: Arguments) -> Iterator[Fire | Problem]:
    if evidence.tree is None:
        yield not_gathered("files.world_writable", arguments, _FILE_LIST)
        return
    found = {
        "/" + path: _TYPE_BITS[kind] | mode
        for path, kind, mode in _with_bits(evidence.tree, 0o002)
        if kind in (Kind.FILE, Kind.HARDLINK) or (kind is Kind.DIR and not mode & 0o1000)
    }
    for path in sorted(found.keys() - ignored(arguments, found)):
        yield Fire(f"World-writable path found: {path}. Mode: {oct(found[path])}", path=path)


def _with_bits(tree: Tree, mask: int) -> Iterator[tuple[str, Kind, int]]:
    """The visible paths with any of the mode bits, what they are, and their mode."""
    for number, index in enumerate(tree.layers):
        for row, mode in enumerate(index.modes):
            if mode & mask:
                path = tree.canonical(number, index.paths[row])
                if tree.where(path) == (number, row):
                    yield path, KIND_CODES[index.kinds[row]], mode


def _unowned(evidence: Evidence, arguments: Arguments) -> Iterator[Fire | Problem]:
    if lines(evidence, "unowned") is None:
        yield not_gathered("files.unowned_executable", arguments, "executables that no package owns")
        return
    found = ["/" + path for path in evidence.analysis.unowned]
    for path in sorted(set(found) - ignored(arguments, found)):
        yield Fire(f"Executable file that no package owns found: {path}", path=path)


def _unowned_looked_at(evidence: Evidence, _arguments: Arguments) -> str:
    return counted(len(evidence.analysis.unowned), "executable") + " that no package owns"


def _looked_at(evidence: Evidence, _arguments: Arguments) -> str:
    return counted(len(evidence.tree), "path") if evidence.tree is not None else ""


def _files_demand(_arguments: Arguments) -> Demand:
    return Demand(files=True)


def _unowned_demand(_arguments: Arguments) -> Demand:
    return Demand(unowned=True)


_OPERATORS = ("equals", "not_equals")

_CONTENT = Trigger(
    "content_regex_match",
    "A file's content matches a pattern. Fires for each file and pattern.",
    _content,
    (
        Parameter(
            "regex_name",
            "string",
            "Only this pattern: NAME=REGEX, which is then looked for, or the name of one that the settings look for. "
            "The expression is matched from the start of each line.",
            example="PASSWORD=(?i).*password *=.*",
        ),
    ),
    notes="A rule brings its own pattern along; the original knows those of the analyzer's configuration only. "
    "Without regex_name every pattern counts that any rule or the settings look for.",
    check=_content_fault,
    demands=_content_demand,
    looks_at=_content_looked_at,
)

_NAME = Trigger(
    "name_match",
    "A path exists whose name matches. Fires for each path: file, directory, link or device.",
    _name,
    (
        Parameter(
            "regex",
            "regex",
            "Applied to the whole path, slash in front, from its start.",
            required=True,
            example=r".*\.pem$",
        ),
    ),
    demands=_files_demand,
    looks_at=_looked_at,
)

_ATTRIBUTE_PARAMETERS = (
    Parameter("filename", "string", "The path.", required=True, example="/etc/shadow"),
    Parameter("checksum_algorithm", "enum", "How the checksum is made.", default="sha256", allowed=("sha256",)),
    Parameter("checksum", "string", "The sha256 of the content, in hexadecimal digits."),
    Parameter("checksum_match", "enum", "How to compare the checksum.", default="equals", allowed=_OPERATORS),
    Parameter("mode", "string", "Permission bits, octal.", example="0640"),
    Parameter("mode_op", "enum", "How to compare the mode.", default="equals", allowed=_OPERATORS),
    Parameter("skip_missing", "boolean", "false: fire as well where the path does not exist.", default="true"),
)

_ATTRIBUTES = Trigger(
    "attribute_match",
    "A path has the checksum and the mode given (both, where both are given); with skip_missing: false, or is missing.",
    _attributes,
    _ATTRIBUTE_PARAMETERS,
    notes="Symbolic links are followed: what counts is the file that a program would open; compat: anchore-engine "
    "compares the link itself. A checksum is compared whatever its letters' case.",
    check=_attributes_fault,
    demands=_attributes_demand,
    looks_at=lambda _evidence, arguments: arguments.text("filename"),
)

_TRIGGERS = (
    _CONTENT,
    _NAME,
    _ATTRIBUTES,
    Trigger(
        "suid_or_guid_set",
        "A file or directory has the SUID or SGID bit: a program then runs as its owner or group. Fires for each.",
        _suid,
        (ignore_parameter("ignore", "/usr/bin/(su|mount|passwd)"),),
        notes="The parameter ignore is new.",
        check=ignore_fault,
        demands=_files_demand,
        looks_at=_looked_at,
    ),
    Trigger(
        "capabilities_set",
        "A file has capabilities: the program in it may more than who runs it. Fires for each.",
        _capable,
        (
            Parameter(
                "capability",
                "strings",
                "Only files with one of these; all stands for files that have every one.",
                example="cap_sys_admin,cap_setuid",
            ),
            ignore_parameter("ignore", "/usr/bin/ping"),
        ),
        notes="New here. The capabilities are told as getcap prints them.",
        check=ignore_fault,
        demands=_files_demand,
        looks_at=_looked_at,
    ),
    Trigger(
        "world_writable",
        "Everybody may write a file, or a directory without the sticky bit. Fires for each.",
        _world_writable,
        (ignore_parameter("ignore", "/var/spool/.*"),),
        notes="New here.",
        check=ignore_fault,
        demands=_files_demand,
        looks_at=_looked_at,
    ),
    Trigger(
        "unowned_executable",
        "A program belongs to no package, so nothing is known of its vulnerabilities. Fires for each.",
        _unowned,
        (ignore_parameter("ignore", "/usr/local/bin/.*"),),
        notes="New here.",
        check=ignore_fault,
        demands=_unowned_demand,
        looks_at=_unowned_looked_at,
    ),
)


class FilesGate(NamedTuple):
    """Files by name, content, attribute and permission."""

    name: str = "files"
    description: str = "Files in the image: their names, contents, checksums and permissions."
    triggers: tuple[Trigger, ...] = _TRIGGERS
