"""Real images of many ecosystems for ``make compare``: by Debian's packages, PyPI, npm, Maven Central, Go and rpm.

usage: compare_images.py DIRECTORY [NAME...]       without names all; those that are there are kept

Every image is a docker archive NAME.tar. What is installed comes from the ecosystem's own installer, so that its own
listing (``truth.py``) can tell what is there. An image whose tools or registry are not here is left out with a word.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import compare_applications
import compare_rpm
import compare_smaller
import compare_systems
from images import debian, docker_archive, over_debian, run

DEBIAN = {
    "debian-java": "openjdk-17-jre-headless tomcat10 maven ant gradle jetty9 libspring-web-java activemq zookeeper",
    "debian-go": "docker.io containerd hugo caddy prometheus restic rclone gh age kubernetes-client golang-cfssl",
    "debian-script": "ruby rails bundler ruby-sinatra puma asciidoctor jekyll nodejs npm yarnpkg webpack node-express "
    "php-cli composer phpunit php-twig r-base-core r-cran-ggplot2 r-cran-dplyr libmojolicious-perl "
    "elixir rebar3 luarocks lua-socket",
    "debian-mixed": "ripgrep fd-find bat exa hyperfine sd rust-coreutils cargo nginx postgresql-15 mariadb-server "
    "haproxy redis-server bind9 python3-django python3-numpy python3-venv python3-pip ansible-core mono-runtime opam",
}
"""What is installed beside a minimal Debian 12."""

WHEELS = (
    "numpy pandas scipy scikit-learn matplotlib requests flask django sqlalchemy pillow jinja2 cryptography boto3 "
    "networkx pytest black ansible-core jupyterlab aiohttp fastapi uvicorn pydantic celery redis psycopg2-binary "
    "pymongo lxml beautifulsoup4 selenium scrapy twisted tornado gunicorn alembic httpx poetry pipenv virtualenv tox "
    "nox hatch build wheel setuptools mypy pylint flake8 isort coverage hypothesis faker sphinx mkdocs docutils "
    "pyyaml ruamel.yaml toml click typer rich tqdm loguru structlog sentry-sdk opentelemetry-sdk prometheus-client "
    "grpcio protobuf kubernetes docker paramiko fabric invoke netaddr dnspython ldap3 pyjwt oauthlib authlib "
    "passlib bcrypt nltk gensim sympy statsmodels seaborn plotly bokeh dask distributed openpyxl xlsxwriter "
    "python-docx reportlab weasyprint markdown bleach babel pytz arrow pendulum zope.interface pyramid bottle "
    "cherrypy google-cloud-storage google-cloud-bigquery azure-identity azure-storage-blob uv ruff"
).split()
NPM = "express react next webpack typescript eslint jest lodash axios @angular/cli aws-cdk-lib npm gatsby-cli".split()
OTHER_NPM = "express react vite typescript eslint mocha lodash@4.17.15 axios@0.21.0 @babel/core esbuild".split()
GO = (
    "github.com/mikefarah/yq/v4@v4.44.1 github.com/google/go-containerregistry/cmd/crane@v0.19.1 "
    "github.com/cloudflare/cfssl/cmd/cfssl@v1.6.5 mvdan.cc/gofumpt@v0.6.0 github.com/prometheus/node_exporter@v1.8.1"
).split()
MAVEN = [
    *(
        f"org.springframework.boot:spring-boot-starter-{each}:3.2.5"
        for each in ("web", "data-jpa", "security", "actuator")
    ),
    *(
        "org.apache.kafka:kafka-clients:3.6.1 org.apache.hadoop:hadoop-common:3.3.6 "
        "com.google.guava:guava:32.1.3-jre org.elasticsearch:elasticsearch:7.17.18 "
        "org.apache.lucene:lucene-core:9.9.2 com.h2database:h2:2.1.214 io.grpc:grpc-netty-shaded:1.62.2 "
        "software.amazon.awssdk:s3:2.25.16 org.apache.poi:poi-ooxml:5.2.5 "
        "org.apache.logging.log4j:log4j-core:2.14.1 org.postgresql:postgresql:42.7.2 "
        "org.quartz-scheduler:quartz:2.3.2 org.apache.camel:camel-core:4.4.0 io.quarkus:quarkus-resteasy:3.8.1 "
        "org.scala-lang:scala-library:2.13.12 com.fasterxml.jackson.core:jackson-databind:2.9.8 "
        "commons-collections:commons-collections:3.2.1"
    ).split(),
]


def main() -> None:
    directory, *names = sys.argv[1:]
    build(Path(directory), names or list(IMAGES))


def build(directory: Path, names: list[str]) -> list[Path]:
    """Make the images that are not there yet; those that could be made."""
    directory.mkdir(parents=True, exist_ok=True)
    made = []
    for name in names:
        target = directory / f"{name}.tar"
        try:
            if not target.exists():
                sys.stderr.write(f"making {target.name}\n")
                IMAGES[name](target)
            made.append(target)
        except OSError as exc:
            sys.stderr.write(f"{name} cannot be made here: {exc}\n")
        except subprocess.CalledProcessError as exc:
            sys.stderr.write(f"{name} cannot be made here: {exc.cmd[0]} ended with {exc.returncode}\n")
    return made


def _debian(target: Path) -> None:
    layer = target.with_suffix(".layer")
    debian(layer, DEBIAN[target.stem].split())
    docker_archive(target, [layer], f"compare/{target.stem}:1", compress="gzip")
    for each in (layer, layer.with_suffix(".layer.gz")):
        each.unlink(missing_ok=True)


def _python(root: Path) -> None:
    """A hundred distributions and what they depend on, one virtual environment, and an old set beside them."""
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    run(*pip, "--prefer-binary", "--target", root / "usr/local/lib/python3.11/dist-packages", *WHEELS)
    run(sys.executable, "-m", "venv", root / "opt/venv")
    run(root / "opt/venv/bin/python", *pip[1:], "requests==2.25.1", "urllib3==1.26.4", "pyyaml", "setuptools", "wheel")
    old = ("--no-deps", "django==3.2.1", "jinja2==2.11.2", "flask==1.1.2", "pillow==9.5.0", "six", "attrs", "zipp")
    run(*pip, "--target", root / "srv/app/vendor", *old)


def _node(root: Path) -> None:
    """The same kind of application by npm, pnpm (links into a store) and Yarn."""
    quiet = ("--silent", "--ignore-scripts")
    for manager, packages in (("npm", NPM), ("pnpm", OTHER_NPM), ("yarn", OTHER_NPM)):
        application = root / "srv" / manager
        application.mkdir(parents=True)
        (application / "package.json").write_text('{"name": "app", "version": "1.0.0"}\n')
        if manager == "npm":
            run("npm", "install", *quiet, "--no-audit", "--no-fund", *packages, cwd=application)
        elif manager == "pnpm":
            store = root.with_suffix(".pnpm")
            run("npx", "--yes", "pnpm@9", "add", *quiet, "--store-dir", store, *packages, cwd=application)
            shutil.rmtree(store, ignore_errors=True)
        else:
            run("npx", "--yes", "yarn@1.22.22", "add", "--ignore-engines", *quiet, *packages, cwd=application)


def _java(root: Path) -> None:
    """Libraries and what they depend on as Maven copies them, some of them also inside of a war."""
    jars = root / "srv/lib"
    (root / "srv").mkdir()
    (root / "srv/maven.list").write_text(copy_from_maven(jars, root.with_suffix(".maven")))
    inner = root / "WEB-INF/lib"
    inner.mkdir(parents=True)
    for jar in sorted(jars.glob("*.jar"))[:60]:
        shutil.copy(jar, inner)
    run("jar", "c0f", root / "srv/app.war", "-C", root, "WEB-INF")
    shutil.rmtree(root / "WEB-INF")


def copy_from_maven(jars: Path, project: Path) -> str:
    """Some well-known libraries and what they depend on, copied into a directory; Maven's own list of them."""
    jars.mkdir(parents=True)
    project.mkdir(exist_ok=True)
    shape = "<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version></dependency>"
    dependencies = "".join(shape.format(*each.split(":")) for each in MAVEN)
    (project / "pom.xml").write_text(
        "<project><modelVersion>4.0.0</modelVersion><groupId>compare</groupId><artifactId>app</artifactId>"
        f"<version>1</version><dependencies>{dependencies}</dependencies></project>"
    )
    listing = project / "list"
    run(
        "mvn", "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={jars}", "-DincludeScope=runtime",
        "dependency:list", f"-DoutputFile={listing}", "-DincludeScope=runtime", cwd=project,
    )  # fmt: skip
    said = listing.read_text()
    shutil.rmtree(project)
    return said


def _go(root: Path) -> None:
    """Programs by ``go install``, stripped and not."""
    import os

    target = root / "usr/local/bin"
    target.mkdir(parents=True)
    env = os.environ | {"GOBIN": str(target), "GOFLAGS": "-mod=mod", "CGO_ENABLED": "0"}
    for number, program in enumerate(GO):
        run("go", "install", *(["-trimpath", "-ldflags=-s -w"] if number % 2 else []), program, env=env)


IMAGES: dict[str, Callable[[Path], None]] = {
    **dict.fromkeys(DEBIAN, _debian),
    "python": over_debian(_python),
    "node": over_debian(_node),
    "java": over_debian(_java),
    "go": over_debian(_go),
    **compare_rpm.IMAGES,
    **compare_systems.IMAGES,
    **compare_applications.IMAGES,
    **compare_smaller.IMAGES,
}

if __name__ == "__main__":
    main()
