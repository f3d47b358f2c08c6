"""The language of bundles: from the text of files to checked values, and back to one canonical form."""
