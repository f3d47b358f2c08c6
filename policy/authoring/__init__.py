"""For whoever writes policies: presets, lint, tests of policies, conversion, edits of a file, the reference."""
