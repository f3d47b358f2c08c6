"""What a bundle asks of an image beyond its packages and configuration: the analysis looks for that and no more."""

from __future__ import annotations

from anchorecli.model import Demand
from anchorecli.policy.language.parameters import arguments
from anchorecli.policy.language.rules import find_gate, find_trigger
from anchorecli.policy.values import Bundle


def demand(bundle: Bundle) -> Demand:
    """The union over all rules, also of policies that no mapping will choose: that is known only with the image."""
    total = Demand()
    for policy in bundle.policies:
        for rule in policy.rules:
            gate = find_gate(rule.gate)
            trigger = find_trigger(gate, rule.trigger) if gate else None
            if trigger is not None and trigger.demands is not None:
                given = arguments(trigger.parameters, rule.params, rule.id)
                total = total.union(trigger.demands(given._replace(compat=bundle.compat)))
    return total.union(Demand(attached=True)) if bundle.trust.vex else total
