"""The pipeline, the one place that knows every stage: fetch, analyze, save; then match and evaluate.

The first half is ``analysis``, the second ``decision``.
They are imported apart: an SBOM needs no feed.
"""
