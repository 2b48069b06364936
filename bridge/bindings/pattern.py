"""Regular expressions of bindings, in an engine whose time grows with the text and no faster.

The engine is that of pydantic, Rust's. It takes what Python's own takes but look-around and
back-references, which are what no engine can promise a bound for.
"""

from dataclasses import dataclass, field

from pydantic_core import SchemaError, SchemaValidator, core_schema

__all__ = ["LONGEST", "Pattern"]

LONGEST = 20_000
"""Characters of a text that a regular expression is tried on."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression that a whole text must match; its dot matches a line break, too.

    Raises `ValueError` for what is none, or is too large.
    """

    source: str
    _whole: SchemaValidator = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _compiled(self.source)  # by itself, or a bracket too many would close one of ours
        object.__setattr__(self, "_whole", _compiled(rf"\A(?s:{self.source})\z"))

    def matches(self, text: str) -> bool:
        """The whole text matches; a longer one than `LONGEST` never does."""
        if len(text) > LONGEST:
            return False
        # Half of a surrogate pair, as programs leave that cut an emoji in two, is any character.
        return self._whole.isinstance_python(text.encode(errors="replace").decode())


def _compiled(source: str) -> SchemaValidator:
    try:
        schema = core_schema.str_schema(strict=True, pattern=source, regex_engine="rust-regex")
        return SchemaValidator(schema)
    except (SchemaError, UnicodeEncodeError) as error:
        reason = str(error).rpartition("\n")[2].rpartition("rror: ")[2]  # error: or SchemaError:
        raise ValueError(f"{source!r} is no regular expression: {reason}") from None
