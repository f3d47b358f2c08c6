"""Settings of the whole suite."""

from __future__ import annotations

import os

from hypothesis import settings

# In CI a property test tries the same examples every time: what fails there must fail on a developer's machine too.
settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("dev", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "dev")
