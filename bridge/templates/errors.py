"""The error of templates. Pure."""

__all__ = ["TemplateError"]


class TemplateError(ValueError):
    """A template that cannot be compiled or rendered; the message says what and in which line."""
