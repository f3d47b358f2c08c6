"""``default.yaml`` as a value, so that a scan with the built-in policy reads no YAML.

Written by ``python -m tests.policy.test_default``; a test holds the two together.
"""

from __future__ import annotations

from typing import Any

DEFAULT: dict[str, Any] = {
    "id": "anchore-default",
    "name": "Default policy",
    "version": "1_0",
    "evidence": {"on_incomplete": "indeterminate", "max_feed_age_days": 14},
    "policies": [
        {
            "id": "default",
            "name": "Stop what can be fixed now",
            "version": "1_0",
            "rules": [
                {
                    "id": "fixable-high",
                    "gate": "vulnerabilities",
                    "trigger": "package",
                    "action": "STOP",
                    "params": {
                        "package_type": "all",
                        "severity_comparison": ">=",
                        "severity": "high",
                        "fix_available": True,
                        "vendor_only": False,
                    },
                },
                {
                    "id": "unfixable-high",
                    "gate": "vulnerabilities",
                    "trigger": "package",
                    "action": "WARN",
                    "params": {
                        "package_type": "all",
                        "severity_comparison": ">=",
                        "severity": "high",
                        "fix_available": False,
                        "vendor_only": False,
                    },
                },
                {
                    "id": "medium",
                    "gate": "vulnerabilities",
                    "trigger": "package",
                    "action": "WARN",
                    "params": {
                        "package_type": "all",
                        "severity_comparison": "=",
                        "severity": "medium",
                        "vendor_only": False,
                    },
                },
                {
                    "id": "stale-feed",
                    "gate": "vulnerabilities",
                    "trigger": "stale_feed_data",
                    "action": "WARN",
                    "params": {"max_days_since_sync": 2},
                },
                {
                    "id": "no-feed",
                    "gate": "vulnerabilities",
                    "trigger": "vulnerability_data_unavailable",
                    "action": "WARN",
                },
                {
                    "id": "root-user",
                    "gate": "dockerfile",
                    "trigger": "effective_user",
                    "action": "WARN",
                    "params": {"users": ["root", "0", "root:root", "0:0"], "type": "blacklist"},
                },
                {
                    "id": "ssh-port",
                    "gate": "dockerfile",
                    "trigger": "exposed_ports",
                    "action": "WARN",
                    "params": {"ports": [22], "type": "blacklist"},
                },
            ],
        }
    ],
    "whitelists": [{"id": "exceptions", "name": "Exceptions", "version": "1_0", "items": []}],
    "mappings": [
        {
            "id": "every-image",
            "name": "every image",
            "registry": "*",
            "repository": "*",
            "image": {"type": "tag", "value": "*"},
            "policy_ids": ["default"],
            "whitelist_ids": ["exceptions"],
        }
    ],
    "blacklisted_images": [],
    "whitelisted_images": [],
}
