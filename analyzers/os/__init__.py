"""Distributions and their package databases."""
