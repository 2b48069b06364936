"""Fixtures that more than one tier of tests uses."""

pytest_plugins = ["tests.broker_fixtures"]
