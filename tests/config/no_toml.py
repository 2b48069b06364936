"""Typical mistakes that leave a file no TOML, and what is said of them."""

from .files import ROOM, SESSION, WITH_PASSWORD, changed

__all__ = ["NO_TOML"]

NO_TOML = {
    "a UUID without quotes": (
        changed(f'"{SESSION}"', SESSION),
        [
            (
                "bridge.toml: is not TOML: Expected newline or end of document after a statement "
                "(at "
                'line 11, column 13); a UUID stands in straight quotes ("), as every text does'
            )
        ],
    ),
    "a UUID without quotes in a list": (
        changed(f'session = "{SESSION}"', f"sources = [{SESSION}]"),
        [
            (
                "bridge.toml: is not TOML: Unclosed array (at line 11, column 14); a UUID stands "
                "in "
                'straight quotes ("), as every text does'
            )
        ],
    ),
    "a duration without quotes": (
        changed(ROOM, f"{ROOM}max_duration = 4h\n"),
        [
            (
                "bridge.toml: is not TOML: Expected newline or end of document after a statement "
                "(at "
                "line 11, column 17); text, as an address or a duration is, stands in straight "
                "quotes "
                '(")'
            )
        ],
    ),
    "a colon for an equals sign": (
        changed('host = "hmp', 'host: "hmp'),
        [
            (
                "bridge.toml: is not TOML: Expected '=' after a key in a key/value pair (at line "
                "7, "
                "column 5); a line is KEY = VALUE, or a heading in brackets"
            )
        ],
    ),
    "a key twice": (
        changed(ROOM, f"{ROOM}{ROOM}"),
        [
            (
                "bridge.toml: is not TOML: Cannot overwrite a value (at line 11, column 16); that "
                "key "
                "is there twice: keep one"
            )
        ],
    ),
    "a bracket that is not closed": (
        changed("[rooms.boardroom]", "[rooms.boardroom"),
        [
            (
                "bridge.toml: is not TOML: Expected ']' at the end of a table declaration (at "
                "line 9, "
                "column 17); the bracket is not closed in that line"
            )
        ],
    ),
    "text without quotes": (
        changed(ROOM, "server = main\n"),
        [
            (
                "bridge.toml: is not TOML: Invalid value (at line 10, column 10); text stands in "
                'straight quotes ("), yes is true and no is false'
            )
        ],
    ),
    "a quote that is not closed": (
        changed('"hunter2"', '"hunter2'),
        [
            (
                "bridge.toml: is not TOML: Illegal character '\\n' (at line 4, column 20); a quote "
                "is not closed in that line"
            )
        ],
    ),
    "a table twice": (
        f"{WITH_PASSWORD}[mqtt]\nport = 1883\n",
        [
            (
                "bridge.toml: is not TOML: Cannot declare ('mqtt',) twice (at line 12, column 6); "
                "put everything of one table under one heading"
            )
        ],
    ),
    "a space in a heading": (
        changed("[rooms.boardroom]", "[rooms.board room]"),
        [
            (
                "bridge.toml: is not TOML: Expected ']' at the end of a table declaration (at line "
                "9, column 14); a name has only lower-case letters, digits, - and _"
            )
        ],
    ),
    "a byte order mark": (
        f"\ufeff{WITH_PASSWORD}",
        [
            (
                "bridge.toml: is not TOML: Invalid statement (at line 1, column 1); it begins with "
                "a byte order mark: save it as UTF-8 without one"
            )
        ],
    ),
}
