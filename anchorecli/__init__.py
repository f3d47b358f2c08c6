"""Static analysis, vulnerability matching and policy for container images, without executing anything."""

__version__ = "0.1.0"
