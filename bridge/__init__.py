"""A bridge between MQTT and the command-line API of Haivision Media Platform (HMP)."""

__all__ = ["__version__"]

__version__ = "0.1.0"
