"""Hostile input: every parser against cuts, mutations and what fuzzing found."""
