"""The policy engine: gates, bundles and verdicts. Pure: no network, SQL, clock or environment.

``bundle.py`` reads a bundle, ``evaluate.py`` makes a verdict of it and the evidence, ``reference.py`` prints what the
gates declare. This module is on the path of every scan and imports the gates only.
"""

from __future__ import annotations

from anchorecli.policy.base import Gate
from anchorecli.policy.gates.always import AlwaysGate
from anchorecli.policy.gates.dockerfile import DockerfileGate
from anchorecli.policy.gates.packages import PackagesGate
from anchorecli.policy.gates.vulnerabilities import VulnerabilitiesGate

GATES: tuple[Gate, ...] = (AlwaysGate(), DockerfileGate(), PackagesGate(), VulnerabilitiesGate())
"""Every gate that is evaluated, in the order of the reference."""
