"""Warnings that are worth one line for each topic, however often their reason comes again."""

__all__ = ["OncePerTopic"]

_MOST_TOPICS = 1000
"""Topics that are remembered; of further ones nothing is said."""


class OncePerTopic:
    """Tells for each topic whether it comes for the first time."""

    def __init__(self) -> None:
        # Not the topics themselves, of which each may have 64 kB.
        self._topics: set[int] = set()

    def is_first(self, topic: str) -> bool:
        """True if a line is due for this topic; from then on none is."""
        name = hash(topic)
        if name in self._topics or len(self._topics) >= _MOST_TOPICS:
            return False
        self._topics.add(name)
        return True
