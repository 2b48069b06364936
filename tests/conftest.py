"""Fixtures that more than one tier of tests uses."""

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.broker_fixtures"]

# How busy the machine is says nothing about what is tested.
settings.register_profile(
    "unhurried", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("unhurried")
