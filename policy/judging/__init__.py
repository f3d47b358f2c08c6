"""From the rules and exceptions of a bundle to findings, their outcomes, and what the evidence leaves open."""
