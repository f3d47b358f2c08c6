"""What gates make of the evidence: the parts that several triggers share, and what is too long for a gate's file."""
