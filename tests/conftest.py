"""Settings of the whole suite."""

from __future__ import annotations

import os

from hypothesis import settings

# An engine in the process of the tests adds up in the same order as one in a worker process: read when numpy is imported.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"

# A shared machine must not fail a test by being slow, and the same commit must give the same result every time.
settings.register_profile("qa", deadline=None, derandomize=True)
settings.load_profile("qa")
