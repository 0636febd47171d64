"""Hypothesis profiles: `default` is quick, HYPOTHESIS_PROFILE=soak looks longer and runs tests/soak too."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from hypothesis import HealthCheck, settings

# The helpers oracle, plain and strategies are modules beside the tests.
sys.path.insert(0, str(Path(__file__).parent))

# Building an index touches the disk, so the time of one example says nothing.
settings.register_profile("default", max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("soak", settings.get_profile("default"), max_examples=600)

profile = os.environ.get("HYPOTHESIS_PROFILE", "default")
settings.load_profile(profile)

collect_ignore = [] if profile == "soak" else ["soak"]
