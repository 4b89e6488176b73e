"""Settings of the whole suite."""

from __future__ import annotations

from hypothesis import settings

# A shared machine must not fail a test by being slow, and the same commit must give the same result every time.
settings.register_profile("qa", deadline=None, derandomize=True)
settings.load_profile("qa")
