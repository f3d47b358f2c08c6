"""What the database of NVD calls packages whose own names do not tell it: vendors and products by their packages.

Format: https://nvd.nist.gov/products/cpe , a row for each package of which advisories speak: purl type, the package's
name (of Maven also a group, with a colon behind it, for all that is in it), then ``vendor:product``, likeliest first.
"""

from __future__ import annotations

from functools import cache

NAMES = """
composer drupal/core                     drupal:drupal
composer guzzlehttp/guzzle               guzzlephp:guzzle
composer phpmailer/phpmailer             phpmailer_project:phpmailer
composer symfony/symfony                 sensiolabs:symfony
composer twig/twig                       symfony:twig
gem      actionview                      rubyonrails:rails action_view_project:action_view
gem      actionpack                      rubyonrails:rails actionpack_project:actionpack
gem      activerecord                    rubyonrails:rails activerecord_project:activerecord
gem      activestorage                   rubyonrails:rails
gem      activesupport                   rubyonrails:rails activesupport_project:activesupport
gem      devise                          heartcombo:devise
gem      rails                           rubyonrails:rails rubyonrails:ruby_on_rails
gem      rails-html-sanitizer            rubyonrails:rails_html_sanitizers
gem      rake                            ruby-lang:rake
gem      rdoc                            ruby-lang:rdoc
gem      rexml                           ruby-lang:rexml
gem      sinatra                         sinatrarb:sinatra
gem      webrick                         ruby-lang:webrick
golang   github.com/containerd/containerd linuxfoundation:containerd
golang   github.com/opencontainers/runc  linuxfoundation:runc
golang   golang.org/x/net                golang:networking
golang   stdlib                          golang:go
maven    ch.qos.logback:                 qos:logback
maven    com.nimbusds:nimbus-jose-jwt    connect2id:nimbus_jose+jwt
maven    com.mysql:mysql-connector-j     oracle:mysql_connector/j
maven    dom4j:dom4j                     dom4j_project:dom4j
maven    io.netty:                       netty:netty
maven    io.quarkus:                     quarkus:quarkus
maven    io.undertow:undertow-core       redhat:undertow
maven    log4j:log4j                     apache:log4j
maven    mysql:mysql-connector-java      oracle:mysql_connector/j
maven    org.apache.activemq:            apache:activemq
maven    org.apache.camel:               apache:camel
maven    org.apache.cxf:                 apache:cxf
maven    org.apache.kafka:               apache:kafka
maven    org.apache.logging.log4j:       apache:log4j
maven    org.apache.shiro:               apache:shiro
maven    org.apache.struts:              apache:struts
maven    org.apache.tika:                apache:tika
maven    org.apache.tomcat:              apache:tomcat
maven    org.apache.tomcat.embed:        apache:tomcat
maven    org.bouncycastle:               bouncycastle:bouncy_castle_for_java
maven    org.dom4j:dom4j                 dom4j_project:dom4j
maven    org.eclipse.jetty:              eclipse:jetty
maven    org.hibernate:hibernate-core    hibernate:hibernate_orm
maven    org.hibernate.orm:hibernate-core hibernate:hibernate_orm
maven    org.keycloak:                   redhat:keycloak
maven    org.postgresql:postgresql       postgresql:postgresql_jdbc_driver
maven    org.springframework:            vmware:spring_framework pivotal_software:spring_framework
maven    org.springframework.boot:       vmware:spring_boot
maven    org.springframework.security:   vmware:spring_security
maven    org.yaml:snakeyaml              snakeyaml_project:snakeyaml
npm      angular                         angularjs:angular
npm      body-parser                     openjsf:body-parser
npm      electron                        electronjs:electron
npm      elliptic                        indutny:elliptic
npm      express                         openjsf:express
npm      glob-parent                     gulpjs:glob-parent
npm      handlebars                      handlebarsjs:handlebars handlebars.js_project:handlebars.js
npm      highlight.js                    highlightjs:highlight.js
npm      ip                              fedorindutny:ip
npm      jsonwebtoken                    auth0:jsonwebtoken
npm      minimist                        substack:minimist
npm      moment                          momentjs:moment
npm      mongoose                        mongoosejs:mongoose
npm      next                            vercel:next.js
npm      node-forge                      digitalbazaar:forge
npm      sanitize-html                   apostrophecms:sanitize-html punkave:sanitize-html
npm      semver                          npmjs:semver
npm      sequelize                       sequelizejs:sequelize
npm      serialize-javascript            verizon:serialize-javascript
npm      socket.io                       socket:socket.io
npm      tough-cookie                    salesforce:tough-cookie
npm      underscore                      underscorejs:underscore
npm      undici                          nodejs:undici
npm      vite                            vitejs:vite
npm      webpack                         webpack.js:webpack
npm      yargs-parser                    yargs:yargs-parser
pypi     bottle                          bottlepy:bottle
pypi     celery                          celeryproject:celery
pypi     certifi                         certifi:certifi kennethreitz:certifi
pypi     cryptography                    cryptography.io:cryptography cryptography_project:cryptography
pypi     django                          djangoproject:django
pypi     flask                           palletsprojects:flask
pypi     httpx                           encode:httpx
pypi     idna                            kjd:internationalized_domain_names_in_applications
pypi     jinja2                          palletsprojects:jinja pocoo:jinja2
pypi     jupyter-server                  jupyter:jupyter_server
pypi     notebook                        jupyter:notebook
pypi     pip                             pypa:pip
pypi     protobuf                        google:protobuf-python
pypi     salt                            saltstack:salt
pypi     sentry-sdk                      sentry:sentry_software_development_kit
pypi     starlette                       encode:starlette
pypi     tensorflow                      google:tensorflow
pypi     tornado                         tornadoweb:tornado
pypi     werkzeug                        palletsprojects:werkzeug
"""


def known(kind: str, name: str) -> tuple[tuple[str, str], ...]:
    """(vendor, product) of a package by its purl type and name, in small letters; none where the table has neither it
    nor its group."""
    table = _table()
    return table.get((kind, name)) or table.get((kind, f"{name.partition(':')[0]}:"), ())


@cache
def _table() -> dict[tuple[str, str], tuple[tuple[str, str], ...]]:
    table = {}
    for line in NAMES.strip().splitlines():
        kind, name, *pairs = line.split()
        table[kind, name] = tuple((vendor, product) for vendor, _, product in (each.partition(":") for each in pairs))
    return table
