"""
How hypothesis searches: never by the clock, a busy machine would fail tests that are right.
"""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "by count", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("by count")
