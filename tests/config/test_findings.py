"""What is said of each wrong key and value: file, table, key, and what would be right."""

from pathlib import Path

import pytest

from bridge.config.errors import ConfigurationError, Fault

from .files import GOOD, SESSION, SOURCE, SOURCES, complaints

WRONG = {
    "a key that is misspelt": (
        f'[mqtt]\nhots = "b"\n{GOOD}',
        ["bridge.toml: [mqtt] hots: is no key here; did you mean host?"],
    ),
    "a key in the wrong table": (
        f'[bridge]\nkeepalive = "30s"\n{GOOD}',
        ["bridge.toml: [bridge] keepalive: is no key here; it belongs to [mqtt]"],
    ),
    "a table that is misspelt": (
        GOOD.replace("[servers.", "[server."),
        [
            "bridge.toml: server: is no table here; did you mean servers?",
            "bridge.toml: servers: needs at least one table [servers.<name>]",
        ],
    ),
    "a duration without its unit": (
        f"[mqtt]\nkeepalive = 30\n{GOOD}",
        ["bridge.toml: [mqtt] keepalive: 30 is no duration; write one number and its unit in "],
    ),
    "a duration out of bounds": (
        GOOD.replace('"main"\n', '"main"\nelapsed_every = "10ms"\ninterrupt_backoff = "0.2s"\n'),
        [
            "bridge.toml: [rooms.boardroom] elapsed_every: must be at least 1s, not '10ms'",
            "bridge.toml: [rooms.boardroom] interrupt_backoff: must be at least 1s",
        ],
    ),
    "a command that HMP does not have": (
        GOOD.replace("[rooms.", 'allow_commands = ["startrecording", "*"]\n[rooms.'),
        ["bridge.toml: [servers.main] allow_commands: 'startrecording' (did you mean startReco"],
    ),
    "a session's title for its id": (
        GOOD.replace(SESSION, "Boardroom"),
        [f"bridge.toml: [rooms.boardroom] session: 'Boardroom' must be a UUID such as {SESSION}"],
    ),
    "two rooms with one session": (
        f'{GOOD}[rooms.other]\nserver = "main"\nsession = "{SESSION.upper()}"\n',
        ["bridge.toml: [rooms.other] session: room 'boardroom' records this session already"],
    ),
    "a session and sources": (
        f'{GOOD}sources = ["{SOURCE}"]\n',
        ["bridge.toml: [rooms.boardroom] sources: cannot stand beside session; keep"],
    ),
    "a session that is given, to be removed": (
        f"{GOOD}delete_session = true\n",
        ["bridge.toml: [rooms.boardroom] delete_session: is for rooms with sources; a session"],
    ),
    "a source's name for its id": (
        SOURCES.replace(SOURCE, "Camera 1"),
        ["bridge.toml: [rooms.boardroom] sources: 'Camera 1' must be a UUID such as "],
    ),
    "no source": (
        SOURCES.replace(f'"{SOURCE}"', ""),
        ["bridge.toml: [rooms.boardroom] sources: takes one to 4 sources"],
    ),
    "five sources": (
        SOURCES.replace(f'"{SOURCE}"', ", ".join(f'"{SOURCE[:-1]}{n}"' for n in range(5))),
        ["bridge.toml: [rooms.boardroom] sources: takes one to 4 sources"],
    ),
    "a source twice": (
        SOURCES.replace(f'"{SOURCE}"', f'"{SOURCE}", "{SOURCE.upper()}"'),
        ["bridge.toml: [rooms.boardroom] sources: names a source twice"],
    ),
    "a source that is no list": (
        SOURCES.replace(f'["{SOURCE}"]', f'"{SOURCE}"'),
        ["bridge.toml: [rooms.boardroom] sources: must be a list in brackets"],
    ),
    "a re-stream to nowhere": (
        f'{GOOD}restream = {{ ip = "999.1.1.1", port = 0 }}\n',
        [
            "bridge.toml: [rooms.boardroom.restream] ip: '999.1.1.1' must be an IPv4 address",
            "bridge.toml: [rooms.boardroom.restream] port: must be at least 1",
        ],
    ),
    "a port that is none": (
        f'[mqtt]\nport = "1883x"\n{GOOD.replace("[rooms", "port = 70000" + chr(10) + "[rooms")}',
        [
            "bridge.toml: [mqtt] port: must be a whole number",
            "bridge.toml: [servers.main] port: must be at most 65535",
        ],
    ),
    "a word that is not one of them": (
        f'[mqtt]\nprotocol = "4"\ntransport = "udp"\n{GOOD}',
        [
            "bridge.toml: [mqtt] protocol: must be one of 'auto', '5' or '3.1.1'",
            "bridge.toml: [mqtt] transport: must be one of 'tcp' or 'websockets'",
        ],
    ),
    "a base topic with a wildcard": (
        f'[mqtt]\nbase_topic = "hmp/#"\n{GOOD}',
        ["bridge.toml: [mqtt] base_topic: 'hmp/#' is no base topic; write up to 40"],
    ),
    "wrong types": (
        f"[mqtt]\ntls = true\nusername = 5\n{GOOD}[rooms.boardroom.tally]\nidle = 0\nred = 1\n",
        [
            "bridge.toml: [mqtt] username: must be text in quotes",
            "bridge.toml: [mqtt] tls: must be a table",
            "bridge.toml: [rooms.boardroom.tally] idle: must be text in quotes",
            "bridge.toml: [rooms.boardroom.tally] red: is no key here; the keys are idle, ",
        ],
    ),
    "keys that are missing": (
        "[servers.main]\n[rooms.a]\n",
        [
            "bridge.toml: [servers.main] host: is missing",
            "bridge.toml: [rooms.a] server: is missing",
            "bridge.toml: [rooms.a] session: is missing",
        ],
    ),
    "an empty file": (
        "",
        [
            "bridge.toml: servers: needs at least one table [servers.<name>]",
            "bridge.toml: rooms: needs at least one table [rooms.<name>]",
        ],
    ),
    "empty tables": (
        "[servers]\n[rooms]\n",
        [
            "bridge.toml: servers: needs at least one table [servers.<name>]",
            "bridge.toml: rooms: needs at least one table [rooms.<name>]",
        ],
    ),
    "tables that are none": (
        'servers = "x"\n[[rooms]]\nserver = "main"\n',
        ["bridge.toml: servers: must be a table", "bridge.toml: rooms: must be a table"],
    ),
    "rooms that are none": (
        '[servers.main]\nhost = "x"\n[rooms]\na = 5\nb = 6\n',
        ["bridge.toml: [rooms] a: must be a table", "bridge.toml: [rooms] b: must be a table"],
    ),
    "no TOML": (
        "[mqtt\nhost = 'x'\n",
        ["bridge.toml: is not TOML: Expected ']' at the end of a table declaration (at line 1"],
    ),
    "a name that is too long for a topic": (
        GOOD.replace("rooms.boardroom", f"rooms.{'b' * 41}"),
        [f"bridge.toml: [rooms] {'b' * 41}: has more than 40 characters"],
    ),
    "a blank mark title": (
        GOOD.replace('"main"\n', '"main"\nmark_title = " "\n'),
        ["bridge.toml: [rooms.boardroom] mark_title: ' ' must not be blank"],
    ),
    "no host": (
        GOOD.replace("hmp.example.edu", ""),
        ["bridge.toml: [servers.main] host: '' is no host; write a name or an address alone"],
    ),
    "a port in the host": (
        GOOD.replace("hmp.example.edu", "hmp.example.edu:23233"),
        ["bridge.toml: [servers.main] host: 'hmp.example.edu:23233' is no host; write a"],
    ),
    "a path that no URL has": (
        f'[mqtt]\nhost = "broker"\nwebsocket_path = "/m ü"\n{GOOD}',
        ["bridge.toml: [mqtt] websocket_path: '/m ü' is no path of a URL; it begins with / and"],
    ),
    "a URL for a host": (
        f'[mqtt]\nhost = "tcp://broker"\n{GOOD}',
        ["bridge.toml: [mqtt] host: 'tcp://broker' is no host; write a name or"],
    ),
    "a part of the log that there is not": (
        f'[bridge]\nlog_levels = {{ hpm = "debug", mqtt = "loud" }}\nlog_format = "xml"\n{GOOD}',
        [
            "bridge.toml: [bridge.log_levels] hpm: must be one of 'bridge', 'hmp', 'journal', ",
            "bridge.toml: [bridge.log_levels] mqtt: must be one of 'debug', 'info', 'warning' or ",
            "bridge.toml: [bridge] log_format: must be one of 'auto', 'text' or 'json'",
        ],
    ),
    "metrics on a port alone": (
        f"[metrics]\nlisten = 9464\n{GOOD}",
        ["bridge.toml: [metrics] listen: 9464 is no address to listen on; write address and port,"],
    ),
    "a tally word that would take the topic away": (
        f'{GOOD}tally.idle = ""\n',
        ["bridge.toml: [rooms.boardroom.tally] idle: must be text that is not empty"],
    ),
    "no switch": (
        f'[mqtt.tls]\ninsecure = "perhaps"\n{GOOD}',
        ["bridge.toml: [mqtt.tls] insecure: must be true or false"],
    ),
}


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_everything_that_is_wrong_is_said_at_once(folder: Path, wrong: str) -> None:
    """Each with file, table, key, and what would be right."""
    text, expected = WRONG[wrong]
    said = complaints(folder, text)
    assert len(said) == len(expected), said
    for line, start in zip(sorted(said), sorted(expected), strict=True):
        assert line.startswith(start)


@pytest.mark.parametrize(
    "text", ["password = hunter2", 'pasword = "hunter2"', 'password = ["hunter2"]']
)
def test_a_secret_in_a_wrong_line_is_not_repeated(folder: Path, text: str) -> None:
    assert "hunter2" not in "\n".join(complaints(folder, f"[mqtt]\n{text}\n{GOOD}"))


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("Hunter2hunter", False),
        ("hunter2!", False),
        ("HUNTER-2?", False),
        ("Hunter!hunter", False),
        ("broker2", True),
        ("Broker", True),
        ("BROKER-2", True),
        ("broker.example.edu:1883", True),
        ("https://Broker2!", True),
        ("Broker2!:1883/", True),
        ("hall 2/west_wing:+#", True),
    ],
)
def test_what_has_three_kinds_of_characters_could_be_a_password(
    folder: Path, given: str, *, shown: bool
) -> None:
    """Of letters large and small, digits, and signs that no address and no topic has."""
    (said,) = complaints(folder, f'[mqtt]\nport = "{given}"\n{GOOD}')
    assert (repr(given) in said) is shown
    assert ("a text that could be a password" in said) is not shown


def test_faults_without_a_file() -> None:
    error = ConfigurationError([Fault((), "is wrong")])
    assert str(error) == "configuration: is wrong"
