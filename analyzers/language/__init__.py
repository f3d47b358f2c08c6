"""Packages of programming languages."""
