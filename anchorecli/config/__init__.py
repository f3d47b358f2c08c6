"""The settings in force: flags over environment over configuration files over defaults.

Format: YAML, a mapping of the keys of ``OPTIONS``, each group a mapping of its own, and ``feeds`` and ``webhooks``::

    policy: ci-policy.yaml                     # or  fail-on: high ; paths are relative to the file they stand in
    retention: {days: 90, count: 500}
    feeds: {debian: {url: "https://mirror.example/debian"}, osv: {enabled: false},
            upstream: "https://feeds.example", trusted-keys: [feeds.pub]}
    require-signed-feed: true                  # no feed file without a signature by one of the trusted keys
    limits: {layer-bytes: 100GiB, file-bytes: 50MB, analyzers: [java.depth=50]}   # see docs/limits.md
    secret-search: {enabled: true, max-file-bytes: 512KiB}   # also where no rule of the policy asks for it
    content-search: ['GPL=.*GPL', 'TODO=(?i).*todo']         # NAME=REGEX, from the start of each line
    retrieve-files: [/etc/passwd, /etc/ssh/sshd_config]      # kept whole, up to retrieve-file-bytes
    malware: {enabled: true, clamd: /run/clamav/clamd.ctl}   # or host:port
    verify-packages: true                                    # files of OS packages against the package database
    declared: true                                           # packages that lock files name, in images too
    hints: true                                              # believe an image's anchore_hints.json
    all-layers: true                                         # packages that later layers removed, too
    webhooks:
      - url: {env: SLACK_URL}                  # {env: NAME} and {file: PATH} keep secrets out of the file
        events: [vuln_update, policy_eval]
        headers: {Authorization: {file: /run/secrets/hook}}
        secret: {env: HOOK_SECRET}             # signs the body, see notify/webhook.py

Order: ``--config FILE`` (or ANCHORE_CONFIG), when given, is the only file. Otherwise ``.anchore.yaml`` of the working
directory, ``$XDG_CONFIG_HOME/anchore/config.yaml`` and ``/etc/anchore/config.yaml`` are merged key by key, the first
that has a key wins it; lists are not merged. ``policy`` and ``fail-on`` exclude each other: that of the stronger source
counts, both in one are an error. In the environment a key has underscores and ANCHORE_ before it
(``ANCHORE_RETENTION_DAYS``; ``watch.interval`` is ``ANCHORE_INTERVAL``), ANCHORE_FEED_URL is ``NAME=URL …``,
ANCHORE_WEBHOOK ``URL …`` and ANCHORE_WEBHOOK_SECRET their key; lists are separated by white space, and an empty
variable counts as unset.

A working directory may be a stranger's repository: what it says decides about that repository's own CI job (policy,
severity, report formats), never about where requests, credentials or this machine's files go. Any other key in
``.anchore.yaml`` is an error, unless ``--config .anchore.yaml`` names the file.
"""

from __future__ import annotations

from anchorecli.config.options import OPTIONS
from anchorecli.config.settings import EVENTS, FeedSettings, Secret, Settings, Webhook
from anchorecli.config.sources import load

__all__ = ["EVENTS", "OPTIONS", "FeedSettings", "Secret", "Settings", "Webhook", "load"]
