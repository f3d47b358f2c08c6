"""Feeds of the distributions that are made of rpm packages, and the readers they share.

``oval`` reads OVAL definitions, ``updateinfo`` a repository's errata, ``anchorecli.feeds.csaf`` CSAF documents;
``statements`` makes of what they say one statement for each package and release.
"""
