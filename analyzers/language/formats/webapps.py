"""Web applications that are unpacked, not installed: each says its version in a file of its own.

Format: Nextcloud and ownCloud ``version.php``, Moodle ``version.php``, MediaWiki ``includes/Defines.php``, Matomo
``core/Version.php``, Joomla (3.8 and later) ``libraries/src/Version.php``, phpMyAdmin (5.1 and later)
``libraries/classes/Version.php``, Drupal 7 ``includes/bootstrap.inc`` (later ones are Composer's), Redmine
``lib/redmine/version.rb``, Roundcube ``program/include/iniset.php``, Zabbix's frontend ``include/defines.inc.php``,
Icinga Web 2 ``library/Icinga/Application/Version.php``, SimpleSAMLphp ``SimpleSAML/Configuration.php``, Request Tracker
``RT/Generated.pm``: assignments of constants. Cacti ``include/cacti_version``, DokuWiki and phpLDAPadmin ``VERSION``,
Shaarli ``shaarli_version.php`` have nothing else in theirs, ``adminer.php`` says it in its first comment, Open Liberty
and WebSphere Liberty in ``lib/versions/*.properties``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from anchorecli.analyzers.binary.cpe import cpe
from anchorecli.analyzers.language.core_metadata import printable
from anchorecli.analyzers.language.rows import Row, row


class _Application(NamedTuple):
    name: str
    product: str
    places: tuple[str, ...]
    marks: tuple[str, ...]
    """What else must stand in the file: its name alone says little."""
    version: str
    """With one group, or with one for each number."""


_APPLICATIONS = (
    _Application(
        "nextcloud",
        "nextcloud:nextcloud_server",
        ("/version.php",),
        ("$vendor = 'nextcloud'",),
        r"\$OC_VersionString\s*=\s*'([\d.]{1,30})",
    ),
    _Application(
        "owncloud",
        "owncloud:owncloud",
        ("/version.php",),
        ("$vendor = 'owncloud'",),
        r"\$OC_VersionString\s*=\s*'([\d.]{1,30})",
    ),
    _Application(
        "moodle", "moodle:moodle", ("/version.php",), ("$release",), r"\$release\s*=\s*'(\d+(?:\.\d+){1,3})\+? \(Build"
    ),
    _Application(
        "mediawiki",
        "mediawiki:mediawiki",
        ("/includes/Defines.php",),
        ("MW_VERSION",),
        r"define\(\s*'MW_VERSION',\s*'(\d[\w.-]{1,40})'",
    ),
    _Application("matomo", "matomo:matomo", ("/core/Version.php",), ("Matomo",), r"const VERSION = '(\d[\w.-]{1,40})'"),
    _Application(
        "joomla",
        "joomla:joomla!",
        ("/libraries/src/Version.php",),
        ("Joomla!",),
        r"(?s)MAJOR_VERSION = (\d+);.{0,300}?MINOR_VERSION = (\d+);.{0,300}?PATCH_VERSION = (\d+);",
    ),
    _Application(
        "phpmyadmin",
        "phpmyadmin:phpmyadmin",
        ("/libraries/classes/Version.php", "/src/Version.php"),
        ("namespace PhpMyAdmin;",),
        r"const VERSION = '(\d[\w.-]{1,40})'",
    ),
    _Application(
        "drupal", "drupal:drupal", ("/includes/bootstrap.inc",), ("DRUPAL_",), r"define\('VERSION', '(7\.[\w.-]{1,30})'"
    ),
    _Application(
        "redmine",
        "redmine:redmine",
        ("/lib/redmine/version.rb",),
        ("module Redmine",),
        r"MAJOR\s*=\s*(\d+)\s+MINOR\s*=\s*(\d+)\s+TINY\s*=\s*(\d+)",
    ),
    _Application(
        "roundcube",
        "roundcube:webmail",
        ("/program/include/iniset.php",),
        ("RCMAIL_VERSION",),
        r"define\('RCMAIL_VERSION', '(\d[\w.-]{1,40})'",
    ),
    _Application(
        "zabbix",
        "zabbix:zabbix",
        ("/include/defines.inc.php",),
        ("ZABBIX_VERSION",),
        r"define\('ZABBIX_VERSION',\s*'(\d[\w.]{1,40})'",
    ),
    _Application("cacti", "cacti:cacti", ("/include/cacti_version",), (), r"\A(\d+(?:\.\d+){1,3}[a-z]?)\s*\Z"),
    _Application(
        "icingaweb2",
        "icinga:icinga_web_2",
        ("/Icinga/Application/Version.php",),
        ("namespace Icinga\\Application;",),
        r"const VERSION = '(\d[\w.-]{1,40})'",
    ),
    _Application(
        "simplesamlphp",
        "simplesamlphp:simplesamlphp",
        ("/SimpleSAML/Configuration.php",),
        ("namespace SimpleSAML;",),
        r"const VERSION = '(\d[\w.-]{1,40})'",
    ),
    _Application(
        "request-tracker",
        "bestpractical:request_tracker",
        ("/RT/Generated.pm",),
        ("package RT;",),
        r"\$VERSION = '(\d+\.\d+\.\d+(?:(?:rc|beta|alpha)\d+)?)",
    ),
    _Application("dokuwiki", "dokuwiki:dokuwiki", ("/VERSION",), (), r'\A(20\d\d-\d\d-\d\d[a-z]?) "[^"\n]{1,60}"\s*\Z'),
    _Application(
        "phpldapadmin",
        "phpldapadmin_project:phpldapadmin",
        ("/VERSION",),
        (),
        r"\ARELEASE-(\d+(?:\.\d+){1,3})\s*\Z",
    ),
    _Application(
        "shaarli",
        "shaarli_project:shaarli",
        ("/shaarli_version.php",),
        (),
        r"\A<\?php /\* v?(\d[\w.-]{1,40}) \*/ \?>",
    ),
    _Application(
        "adminer",
        "adminer:adminer",
        ("/adminer.php",),
        ("Adminer",),
        r"(?s)\A<\?php\s.{0,2000}?@version (\d[\w.-]{1,40})",
    ),
    _Application(
        "open-liberty",
        "ibm:open_liberty",
        (".properties",),
        ("com.ibm.websphere.productId=io.openliberty",),
        r"(?m)^com\.ibm\.websphere\.productVersion=(\d[\w.]{1,40})",
    ),
    _Application(
        "websphere-liberty",
        "ibm:websphere_application_server",
        (".properties",),
        ("com.ibm.websphere.productId=com.ibm.websphere.appserver",),
        r"(?m)^com\.ibm\.websphere\.productVersion=(\d[\w.]{1,40})",
    ),
)


def read(path: str, data: bytes) -> Iterator[Row]:
    """The application whose file it is."""
    if path.startswith("/usr/share/doc/"):
        return
    text = printable(data[:200_000])
    for each in _APPLICATIONS:
        if path.endswith(each.places) and all(mark in text for mark in each.marks):
            found = re.search(each.version, text)
            if found:
                version = ".".join(found.groups())
                yield row("generic", each.name, version, cpe=cpe(each.product, version), metadata={"kind": "program"})
                return
