"""Settings of the property tests: no deadline, since the machines that run them are shared."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "stats", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("stats")
