"""Advisories of the communities of programming languages, of programs by CPE, and what package registries hold."""
