"""Text with values in it: Jinja2, in a sandbox that neither leaks, nor hangs, nor grows.

What a template may contain is listed in `syntax` and `filters`; whatever is not listed
there is refused when the template is made, so a configuration that loads has no surprise but in its
values.
"""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from ..text.nearest import did_you_mean
from .errors import TemplateError

if TYPE_CHECKING:  # Jinja2 is imported with the first template, for most commands need none
    from jinja2.environment import Template as JinjaTemplate

__all__ = ["Template"]


class Template:
    """A template, compiled. Two of the same source are equal.

    Values are plain data: text, numbers, truth values, None, lists, mappings, times and dates, and
    dataclasses of these. A mapping's items are reached as ``json.subject`` or ``json["subject"]``.
    """

    __slots__ = ("_compiled", "fields", "names", "source")

    names: frozenset[str]
    """The names that it takes its values from."""
    fields: frozenset[tuple[str, str]]
    """The fields that it reads of its names, such as ``("room", "name")``."""

    def __init__(self, source: str) -> None:
        """Compile `source`; raises `TemplateError` (syntax, forbidden constructs, length)."""
        from .sandbox import compiled

        self.source = source
        self._compiled: JinjaTemplate
        self._compiled, self.names, self.fields = compiled(source)

    def check(self, known: Mapping[str, Collection[str]]) -> None:
        """Refuse names that no value will be given to, and fields that their values do not have.

        `known` are the names and the fields of each; one without any may have whatever a message
        says. Raises `TemplateError`.
        """
        for name in sorted(self.names - known.keys()):
            meant = did_you_mean(name, known, "")
            there = f"there is no {name} here; there are: {', '.join(sorted(known))}"
            raise TemplateError(f"{there}; {meant}" if meant else there)
        for name, field in sorted(self.fields):
            if known.get(name) and field not in known[name]:
                hint = did_you_mean(field, known[name], f"it has {', '.join(known[name])}")
                raise TemplateError(f"{name} has no {field}; {hint}")

    def render(self, values: Mapping[str, object]) -> str:
        """The text; names, items and attributes that are not there are empty, as is None.

        Truth values are written ``true`` and ``false``, times as RFC 3339, lists and mappings as
        JSON. Raises `TemplateError`, whatever goes wrong.
        """
        from .sandbox import rendered

        return rendered(self._compiled, values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Template) and other.source == self.source

    def __hash__(self) -> int:
        return hash(self.source)

    def __repr__(self) -> str:
        return f"Template({self.source!r})"
