"""Licences by their texts."""

from __future__ import annotations

import pytest

from anchorecli.analyzers.language.java.plugin import Java
from anchorecli.analyzers.license_texts import MAX_BYTES, recognised
from tests.analyzers.language.jars import classes, jar, manifest
from tests.analyzers.view import make_view

APACHE = "\n\n        Apache License\n    Version 2.0, January 2004\n  http://www.apache.org/licenses/\n\n TERMS AND"
MIT = (
    "Copyright (c) 2020 Somebody\n\nPermission is hereby granted, free of charge, to any person obtaining\n"
    "a copy of this software and associated documentation files"
)
BSD = "Redistribution and use in source and binary forms, with or without\n modification, are permitted provided"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (APACHE, "Apache-2.0"),
        ("Eclipse Public License - v 2.0\n\nTHE ACCOMPANYING PROGRAM", "EPL-2.0"),
        ("COMMON DEVELOPMENT AND DISTRIBUTION LICENSE (CDDL) Version 1.0\n", "CDDL-1.0"),
        ("Server Side Public License\nVERSION 1, OCTOBER 16, 2018", "SSPL-1.0"),
        ("Mozilla Public License, version 2.0\n\n1. Definitions", "MPL-2.0"),
        (f"The MIT License (MIT)\n\n{MIT}", "MIT"),
        (BSD, "BSD-2-Clause"),
        (f"{BSD} that Neither the name of the copyright holder", "BSD-3-Clause"),
        (f"{APACHE} … {MIT}", ""),
        (f"{MIT} {MIT}", ""),
        (f"This product includes software under the {APACHE}", ""),
        (f"{APACHE} and Eclipse Public License - v 2.0", ""),
        ("GNU GENERAL PUBLIC LICENSE Version 3, 29 June 2007", ""),
        ("See https://example.org", ""),
        ("", ""),
    ],
)
def test_a_text_is_one_licence_or_none(text: str, name: str) -> None:
    assert recognised(text.encode()) == name
    assert recognised(text.encode() + bytes(MAX_BYTES)) == ""


@pytest.mark.parametrize(
    ("files", "licenses"),
    [
        ({"META-INF/LICENSE.txt": APACHE}, ("Apache-2.0",)),
        ({"LICENSE": MIT}, ("MIT",)),
        ({"META-INF/LICENSE": APACHE, **manifest(Bundle_License="EPL-2.0")}, ("EPL-2.0",)),
        ({"org/example/LICENSE": MIT}, ()),
        ({}, ()),
    ],
)
def test_the_text_in_a_jar_counts_where_nothing_else_tells(files: dict[str, str], licenses: tuple[str, ...]) -> None:
    data = jar({**classes("org/example", 3), **files})
    view = make_view(Java(), [{"srv/lib/activation-1.1.jar": data}])
    (package,) = Java().assemble(view).packages
    assert package.licenses == licenses
