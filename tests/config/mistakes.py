"""Typical mistakes of operators, and every word that is said of them."""

from .files import ROOM, SESSION, WITH_PASSWORD, changed
from .no_toml import NO_TOML

__all__ = ["MISTAKES"]

MISTAKES = {
    **NO_TOML,
    "a misspelt key": (
        changed(ROOM, f'{ROOM}action-tll = "30s"\n'),
        ["bridge.toml: [rooms.boardroom] action-tll: is no key here; did you mean action_ttl?"],
    ),
    "keys of a room below the heading of its details": (
        f"{WITH_PASSWORD}[rooms.boardroom.details]\nlive = true\nmax_duration = '4h'\n",
        [
            (
                "bridge.toml: [rooms.boardroom.details] max_duration: is no key here; it belongs "
                "to "
                "[rooms.boardroom]"
            )
        ],
    ),
    "keys of a table within, and of another one": (
        changed(ROOM, f"{ROOM}title = 'T'\npoll_interval = '2s'\n"),
        [
            (
                "bridge.toml: [rooms.boardroom] title: is no key here; it belongs to "
                "[rooms.boardroom.details]"
            ),
            (
                "bridge.toml: [rooms.boardroom] poll_interval: is no key here; it belongs to "
                "[servers.<name>]"
            ),
        ],
    ),
    "a key above all tables": (
        f"topic = 'a'\n{WITH_PASSWORD}",
        ["bridge.toml: topic: is no key here; it belongs to [[bindings]]"],
    ),
    "one text for a list": (
        changed(f'session = "{SESSION}"', f'sources = "{SESSION}"'),
        [
            (
                f"bridge.toml: [rooms.boardroom] sources: must be a list in brackets, not "
                f"'{SESSION}'; "
                f'write ["{SESSION}"]'
            )
        ],
    ),
    "a permission in small letters, and a template that is not closed": (
        (
            f"{WITH_PASSWORD}[rooms.boardroom.details]\ntitle = '{{{{ room.name'\n"
            "share = [{ user = 'a', permission = 'own' }]\n"
        ),
        [
            (
                "bridge.toml: [rooms.boardroom.details] title: '{{ room.name' is no template: "
                "unexpected end of template: {{ … }} or {% … %} is not closed, line 1"
            ),
            (
                "bridge.toml: [rooms.boardroom.details.share.1] permission: 'own' must be one of "
                "WATCH, EDIT, OWN, or a custom permission's UUID; did you mean OWN?"
            ),
        ],
    ),
    "a misspelt table": (
        changed("[mqtt]", "[mqqt]"),
        ["bridge.toml: mqqt: is no table here; did you mean mqtt?"],
    ),
    "a server that does not exist": (
        changed(ROOM, 'server = "mian"\n'),
        ["bridge.toml: [rooms.boardroom] server: 'mian' is no server; did you mean main?"],
    ),
    "a server that is like none": (
        changed(ROOM, 'server = "192.0.2.7"\n'),
        ["bridge.toml: [rooms.boardroom] server: '192.0.2.7' is no server; configured are: main"],
    ),
    "a port as text": (
        changed("[servers.main]", '[servers.main]\nport = "2323e"'),
        ["bridge.toml: [servers.main] port: must be a whole number, not '2323e'"],
    ),
    "durations without a unit, or with a word for it": (
        changed(ROOM, f'{ROOM}action_ttl = 30\nmark_ttl = "300 msec"\nelapsed_every = "10 sec"\n'),
        [
            f"bridge.toml: [rooms.boardroom] {key}: {value} is no duration; write one number and "
            f"its unit in quotes: 300ms, 30s or 4h; did you mean {meant}?"
            for key, value, meant in (
                ("action_ttl", "30", '"30s"'),
                ("mark_ttl", "'300 msec'", '"300ms"'),
                ("elapsed_every", "'10 sec'", '"10s"'),
            )
        ],
    ),
    "a duration that is none": (
        changed(ROOM, f'{ROOM}action_ttl = true\nmark_ttl = "soon"\n'),
        [
            f"bridge.toml: [rooms.boardroom] {key}: {value} is no duration; write one number and "
            "its unit in quotes: 300ms, 30s or 4h"
            for key, value in (("action_ttl", "true"), ("mark_ttl", "'soon'"))
        ],
    ),
    "a UUID with a lost hyphen": (
        changed(SESSION, SESSION.replace("b3d3-", "b3d3")),
        [
            (
                "bridge.toml: [rooms.boardroom] session: '71edd346-2cf0-4c62-b3d39d457b287394' "
                f"must be a UUID; did you mean {SESSION}?"
            )
        ],
    ),
    "a UUID with a letter for a digit": (
        changed(SESSION, f"{{7l{SESSION[2:]}}}"),
        [
            (
                f"bridge.toml: [rooms.boardroom] session: '{{7l{SESSION[2:]}}}' must be a UUID; "
                f"did you mean {SESSION}?"
            )
        ],
    ),
    "two rooms with one session": (
        f'{WITH_PASSWORD}[rooms.hall]\n{ROOM}session = "{SESSION}"\n',
        [
            (
                "bridge.toml: [rooms.hall] session: room 'boardroom' records this session already; "
                "give each room its own"
            )
        ],
    ),
    "a password without a user name": (
        changed('username = "bridge"\n', ""),
        [
            (
                "bridge.toml: [mqtt] username: is missing; a password is sent only together with a "
                "user name"
            )
        ],
    ),
    "a login in the host": (
        changed("broker.example.edu", "bridge:hunter2@broker"),
        [
            (
                "bridge.toml: [mqtt] host: a text with a login is no host; write a name or an "
                "address alone, such as hmp.example.edu or 192.0.2.7; the port is a key of its own"
            )
        ],
    ),
    "a word that is not one of them": (
        changed("[servers.main]", '[bridge]\nlog_level = "WARN"\n[servers.main]'),
        [
            (
                "bridge.toml: [bridge] log_level: must be one of 'debug', 'info', 'warning' or "
                "'error', not 'WARN'; did you mean 'warning'?"
            )
        ],
    ),
    "a password in the line above": (
        changed('username = "bridge"\npassword = "hunter2"', 'port = "Hunter2!hunter2"'),
        [("bridge.toml: [mqtt] port: must be a whole number, not a text that could be a password")],
    ),
    "an address with capitals": (
        changed("broker.example.edu", "mqtt://Broker1:1883"),
        [
            (
                "bridge.toml: [mqtt] host: 'mqtt://Broker1:1883' is no host; write a name or an "
                "address alone, such as hmp.example.edu or 192.0.2.7; the port is a key of its own"
            )
        ],
    ),
    "a key of another table, with its dot": (
        f'{WITH_PASSWORD}metrics.listen = ":9464"\n',
        [
            (
                "bridge.toml: [rooms.boardroom] metrics: is no table here; begin a table for it in "
                "a line above: [metrics]"
            )
        ],
    ),
    "a room with capitals and spaces": (
        changed("[rooms.boardroom]", '[rooms."Board Room"]'),
        [
            (
                "bridge.toml: [rooms] Board Room: a name has only lower-case letters, digits, - "
                "and _; did you mean board-room?"
            )
        ],
    ),
    "single brackets for double, and double for single": (
        f"{changed('[servers.main]', '[[servers.main]]')}[bindings]\ntopic = 'a'\n",
        [
            "bridge.toml: [servers] main: is one table; write [servers.main] in single brackets",
            "bridge.toml: bindings: is a list of tables; write [[bindings]] in double brackets",
        ],
    ),
    "a value for a table": (
        changed(ROOM, f'{ROOM}restream = "239.1.1.1:5000"\n'),
        [
            (
                "bridge.toml: [rooms.boardroom] restream: must be a table, not '239.1.1.1:5000'; "
                "its keys are ip, port"
            )
        ],
    ),
    "a room called as a key is": (
        changed("[rooms.boardroom]", "[rooms.details]").replace(ROOM, f'{ROOM}nmae = "x"\n'),
        ["bridge.toml: [rooms.details] nmae: is no key here; did you mean name?"],
    ),
    "a duration beyond all clocks": (
        changed(ROOM, f'{ROOM}max_duration = "99999d"\n'),
        [
            (
                "bridge.toml: [rooms.boardroom] max_duration: '99999d' is longer than 136 years, "
                "which no clock here counts to"
            )
        ],
    ),
    "an empty password": (
        changed('"hunter2"', '""'),
        [("bridge.toml: [mqtt] password: must be text that is not empty")],
    ),
    "a password that is no text": (
        changed('"hunter2"', '["hunter2"]'),
        ["bridge.toml: [mqtt] password: must be text in quotes"],
    ),
    "values of another kind": (
        changed('"bridge"', '{ name = "bridge" }').replace('"broker.example.edu"', "[]"),
        [
            (
                "bridge.toml: [mqtt] host: must be text in quotes, or a list of such, as "
                '["a", "b:1884"] is'
            ),
            "bridge.toml: [mqtt] username: must be text in quotes, not a table",
        ],
    ),
}
