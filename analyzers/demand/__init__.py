"""Analyzers that run only where a rule, a setting or a flag asks for what they find: each of them costs time."""
