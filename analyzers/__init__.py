"""The registry of analyzers."""
