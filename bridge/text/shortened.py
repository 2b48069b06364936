"""As much of a text as people are shown, or get back of what they sent. Pure."""

__all__ = ["shortened"]


def shortened(text: str, longest: int) -> str:
    """The text in at most `longest` characters; dots stand for what is left out."""
    return text if len(text) <= longest else f"{text[: longest - 3]}..."
