"""Java archives built in code."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping


def jar(files: Mapping[str, bytes | str], *, stored: bool = False, prefix: bytes = b"", comment: bytes = b"") -> bytes:
    """A zip archive of these files; ``prefix`` is what stands before it, as in Spring Boot's executable jars."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        archive.comment = comment
    return prefix + buffer.getvalue()


def maven(group: str, artifact: str, version: str) -> dict[str, str]:
    """The files that Maven leaves in a jar."""
    directory = f"META-INF/maven/{group}/{artifact}"
    return {
        f"{directory}/pom.properties": f"#by Maven\ngroupId={group}\nartifactId={artifact}\nversion={version}\n",
        f"{directory}/pom.xml": f"<project><groupId>{group}</groupId><artifactId>{artifact}</artifactId></project>",
    }


def classes(package: str, count: int = 3) -> dict[str, bytes]:
    """So many classes of a package, which nobody inflates."""
    return {f"{package.replace('.', '/')}/C{number}.class": b"\xca\xfe\xba\xbe" for number in range(count)}


def manifest(**headers: str) -> dict[str, str]:
    """META-INF/MANIFEST.MF with these headers, ``_`` standing for a hyphen."""
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return {"META-INF/MANIFEST.MF": f"Manifest-Version: 1.0\r\n{lines}\r\n"}
