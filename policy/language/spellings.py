"""Names a bundle may use beside ours: Enterprise's spellings, and gates that nothing here evaluates.

Format: Anchore Enterprise's bundle version 2 is version 1_0 with other words; both are read, in any mixture.
"""

from __future__ import annotations

from collections.abc import Mapping

VERSIONS = ("1_0", "2")

KEYS: Mapping[str, str] = {
    "rule_sets": "policies",
    "allowlists": "whitelists",
    "rule_set_ids": "policy_ids",
    "rule_set_id": "policy_id",
    "allowlist_ids": "whitelist_ids",
    "allowlisted_images": "whitelisted_images",
    "denylisted_images": "blacklisted_images",
}
"""Version 2's keys → those of version 1_0."""

WORDS: Mapping[str, str] = {"allowlist": "whitelist", "denylist": "blacklist"}
"""Version 2's parameter values → those of version 1_0, where an enum has the latter."""

PENDING_GATES: Mapping[str, str] = dict.fromkeys(
    ("stig",),
    "is not evaluated by this version",
)
"""Gates of Anchore Engine and Enterprise that a bundle may hold and that make a verdict indeterminate for now."""

RETIRED_GATES: Mapping[str, str] = {
    "anchoresec": "vulnerabilities",
    "dockerfilecheck": "dockerfile",
    "filecheck": "files",
    "fileparse_passwd": "passwd_file",
    "gemcheck": "ruby_gems",
    "imagecheck": "",
    "licblacklist": "licenses",
    "metadatacheck": "metadata",
    "npmcheck": "npms",
    "pkgblacklist": "packages",
    "pkgcheck": "packages",
    "pkgdiff": "",
    "secretcheck": "secret_scans",
    "suiddiff": "",
}
"""Gates Anchore Engine itself retired → what replaces them, empty where nothing does. They are never evaluated."""


def trigger_name(name: str) -> str:
    """A trigger's name in lower case, with version 2's words replaced: ``denylist`` → ``blacklist``.

    Two names of one trigger give the same, whichever of them its gate declares."""
    lowered = name.lower()
    return "blacklist" + lowered[len("denylist") :] if lowered.startswith("denylist") else lowered
