"""The configuration: what it may be, where it comes from, and what is said when it is wrong."""

import os
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.config.errors import ConfigurationError, Fault, parse_duration
from bridge.config.model import Configuration, load
from bridge.demo.demo import DEMO
from bridge.hmp.commands import COMMANDS
from bridge.room.vocabulary import State

ROOT = Path(__file__).parents[2]
SESSION = "71edd346-2cf0-4c62-b3d3-9d457b287394"
GOOD = f"""
[servers.main]
host = "hmp.example.edu"

[rooms.boardroom]
server = "main"
session = "{SESSION}"
"""

SOURCE = "b86befc3-7b44-4655-852f-21a77935d110"
SOURCES = GOOD.replace(f'session = "{SESSION}"', f'sources = ["{SOURCE}"]')


@pytest.fixture(autouse=True)
def _clean_environment() -> Iterator[None]:
    """No variable of ours from outside, none left behind."""
    kept = dict(os.environ)
    for name in kept:
        if name.upper().startswith(("HMP_BRIDGE_", "CREDENTIALS_DIRECTORY")):
            del os.environ[name]
    yield
    os.environ.clear()
    os.environ.update(kept)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """An empty working directory."""
    before = Path.cwd()
    os.chdir(tmp_path)
    yield tmp_path
    os.chdir(before)


def loaded(folder: Path, text: str = GOOD, **overrides: object) -> Configuration:
    """The configuration of a file `bridge.toml` with this text."""
    (folder / "bridge.toml").write_text(text, encoding="utf-8")
    return load(Path("bridge.toml"), overrides)


def complaints(folder: Path, text: str, **overrides: object) -> list[str]:
    """The lines that are said of it."""
    with pytest.raises(ConfigurationError) as caught:
        loaded(folder, text, **overrides)
    return str(caught.value).splitlines()


def test_the_annotated_example_is_the_demo() -> None:
    example = load(ROOT / "config" / "bridge.toml")
    assert example.model_dump() == Configuration(**DEMO).model_dump()
    assert "rooms" in tomllib.loads((ROOT / "config" / "bridge.toml").read_text(encoding="utf-8"))


def test_every_commented_default_of_the_example_is_the_default(folder: Path) -> None:
    """What the file shows behind `#` is what is in force, key by key."""
    text = (ROOT / "config" / "bridge.toml").read_text(encoding="utf-8")
    shown = []
    for line in text.splitlines():
        bare = line.removeprefix("# ")
        is_key = line.startswith("# ") and " = " in bare and bare.split(" = ")[0].isidentifier()
        # Examples that stand for no default, and folders that depend on the user.
        if is_key and "…" not in bare.split(" #")[0] and "username" not in bare:
            bare = bare if "state_dir" not in bare and not bare.startswith("port") else ""
            shown.append(bare)
        elif line == "# [bridge]":
            shown.append(bare)
        else:
            shown.append(line)
    assert sum(1 for line, was in zip(shown, text.splitlines(), strict=True) if line != was) > 20
    written_out = loaded(folder, "\n".join(shown))
    assert written_out.model_dump() == load(ROOT / "config" / "bridge.toml").model_dump()


def test_the_binding_of_the_example_loads_with_and_without_its_options(folder: Path) -> None:
    text = (ROOT / "config" / "bridge.toml").read_text(encoding="utf-8")
    plain, _, shown = text.partition("#   [[bindings]]\n")
    lines = ["[[bindings]]", *(line.removeprefix("#   ") for line in shown.splitlines())]
    (binding,) = loaded(folder, "\n".join([plain, *lines])).bindings
    assert (binding.do, binding.debounce, binding.edge) == ("toggle", 0.3, None)
    options = [line.removeprefix("# ") for line in lines if not line.startswith("# fields")]
    excluding = ("payload", "hold", "tap")
    chosen = [line for line in options if not line.startswith(excluding) and line[:1].isalpha()]
    (binding,) = loaded(folder, "\n".join([plain, "[[bindings]]", *chosen])).bindings
    assert (binding.edge, binding.unique, binding.max_age) == ("rising", "event_cnt", 600.0)
    assert binding.model_fields_set | {*excluding, "event", "fields"} == set(
        type(binding).model_fields
    )


def test_defaults() -> None:
    plain = Configuration(**DEMO)
    broker = plain.broker("hmp-bridge-x")
    assert (broker.host, broker.port, broker.client_id) == ("localhost", 1883, "hmp-bridge-x")
    assert plain.rooms["boardroom"].tally_words()[State.RECORDING] == "red"
    assert plain.servers["main"].link("main").port == 23233


def test_what_may_be_asked_by_name(folder: Path) -> None:
    plain = loaded(folder, GOOD).servers["main"].rules()
    assert not any(plain.allows(name) for name in COMMANDS)
    assert plain.ttl == 30.0
    listed = 'allow_commands = ["stopRecording"]\nrequest_ttl = "5s"\n'
    rules = loaded(folder, GOOD.replace("[rooms.", f"{listed}[rooms.")).servers["main"].rules()
    assert [name for name in COMMANDS if rules.allows(name)] == ["stopRecording"]
    assert rules.ttl == 5.0
    everything = {"main": {"allow_commands": '["*"]'}}  # as on the command line
    rules = loaded(folder, GOOD, servers=everything).servers["main"].rules()
    assert all(rules.allows(name) for name in COMMANDS)


def test_a_room_with_sources(folder: Path) -> None:
    text = f'{SOURCES}delete_session = true\nrestream = {{ ip = "239.1.1.1", port = 5000 }}\n'
    configuration = loaded(folder, f"{text}[rooms.other]{text.partition('[rooms.boardroom]')[2]}")
    room = configuration.rooms["boardroom"]
    policy = room.policy(configuration.servers["main"], "boardroom")
    assert (policy.session, policy.sources, policy.delete_session) == (None, (SOURCE,), True)
    assert policy.session_title == "boardroom"
    assert (policy.restream_ip, policy.restream_port) == ("239.1.1.1", 5000)


@pytest.mark.parametrize(
    ("transport", "tls", "port"),
    [("tcp", None, 1883), ("tcp", {}, 8883), ("websockets", None, 8080), ("websockets", {}, 8081)],
)
def test_default_ports(transport: str, tls: object, port: int) -> None:
    mqtt = {"transport": transport, "tls": tls}
    assert Configuration(**DEMO | {"mqtt": mqtt}).broker("x").port == port
    assert Configuration(**DEMO | {"mqtt": mqtt | {"port": 5}}).broker("x").port == 5


def test_tally_words() -> None:
    tally = {"recording": "1", "idle": "0"}
    rooms = {"a": {"server": "main", "session": SESSION, "tally": tally}}
    room = Configuration(**DEMO | {"rooms": rooms}).rooms["a"]
    words = room.tally_words()
    assert (words[State.RECORDING], words[State.IDLE], words[State.PAUSED]) == ("1", "0", "amber")
    assert words[State.STARTING] == "blink"
    assert words[State.UNKNOWN] == words[State.ERROR] == "fault"


# Where it comes from.


def test_precedence(folder: Path) -> None:
    """Command line, environment, secrets, file: each hides the next, key by key."""
    text = (
        f'[mqtt]\nhost = "file"\nusername = "file"\npassword = "file"\nbase_topic = "file"\n{GOOD}'
    )
    secrets = folder / "secrets"
    secrets.mkdir()
    for name in ("host", "username", "password"):
        (secrets / f"mqtt__{name}").write_text("secret\n")
    os.environ["CREDENTIALS_DIRECTORY"] = str(secrets)
    os.environ["HMP_BRIDGE_MQTT__HOST"] = "environment"
    os.environ["HMP_BRIDGE_MQTT__USERNAME"] = "environment"
    mqtt = loaded(folder, text, mqtt={"host": "command-line"}).mqtt
    assert mqtt.host == "command-line"
    assert mqtt.username == "environment"
    assert mqtt.password is not None
    assert mqtt.password.get_secret_value() == "secret"
    assert mqtt.base_topic == "file"


def test_environment_reaches_every_table(folder: Path) -> None:
    os.environ["HMP_BRIDGE_SERVERS__MAIN__PORT"] = "1234"
    os.environ["HMP_BRIDGE_ROOMS__BOARDROOM__ACTION_TTL"] = "1m"
    os.environ["HMP_BRIDGE_BRIDGE__LOG_LEVEL"] = "debug"
    os.environ["HMP_BRIDGE_BRIDGE__LOG_LEVELS__HMP"] = "error"
    os.environ["HMP_BRIDGE_METRICS__LISTEN"] = "[::1]:9464"
    configuration = loaded(folder)
    assert configuration.servers["main"].port == 1234
    assert configuration.rooms["boardroom"].action_ttl == 60.0
    assert configuration.bridge.log_level == "debug"
    assert configuration.bridge.log_levels == {"hmp": "error"}
    assert configuration.metrics.listen == ("::1", 9464)


@pytest.mark.parametrize(
    ("text", "listen"),
    [
        ("127.0.0.1:9464", ("127.0.0.1", 9464)),
        ("[::1]:0", ("::1", 0)),
        (":9464", ("", 9464)),
        ("localhost:65535", ("localhost", 65535)),
    ],
)
def test_where_metrics_are_served(folder: Path, text: str, listen: tuple[str, int]) -> None:
    assert loaded(folder, metrics={"listen": text}).metrics.listen == listen
    assert loaded(folder).metrics.listen is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("9464", "write address and port"),
        ("", "write address and port"),
        ("127.0.0.1", "write address and port"),
        ("127.0.0.1:http", "write address and port"),
        ("127.0.0.1:65536", "write address and port"),
        ("http://127.0.0.1:9464", "write address and port"),
        ("user:word@127.0.0.1:9464", "write address and port"),
        ("::1:9464", "write [::1]:9464"),
        ("a..b:9464", "has no host name in it"),
    ],
)
def test_where_metrics_cannot_be_served(folder: Path, text: str, says: str) -> None:
    [said] = complaints(folder, GOOD, metrics={"listen": text})
    assert said.startswith("command line, --set metrics.listen: [metrics] listen: ")
    assert says in said
    assert "word" not in said


@pytest.mark.parametrize("missing", ["h11", "prometheus_client"])
def test_metrics_without_their_extra(
    folder: Path, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)  # as if it were not installed
    [said] = complaints(folder, GOOD, metrics={"listen": ":9464"})
    assert "pip install 'hmp-bridge[metrics]'" in said
    assert loaded(folder).metrics.listen is None


# Secrets.


def test_secrets_show_nowhere(folder: Path) -> None:
    configuration = loaded(folder, f'[mqtt]\nusername = "bridge"\npassword = "hunter2"\n{GOOD}')
    shown = [str(configuration), repr(configuration), configuration.model_dump_json()]
    shown += [repr(configuration.broker("x")), str(configuration.mqtt.model_dump())]
    assert "hunter2" not in "".join(shown)
    assert configuration.broker("x").password == "hunter2"
    assert configuration.secrets == ["hunter2"]
    other = loaded(folder, f'[mqtt]\nusername = "bridge"\npassword = "hunter3"\n{GOOD}')
    assert configuration.digest == other.digest
    assert configuration.digest != loaded(folder).digest
    assert len(configuration.digest) == 12


@pytest.mark.parametrize(
    "text", ["password = hunter2", 'pasword = "hunter2"', 'password = ["hunter2"]']
)
def test_a_secret_in_a_wrong_line_is_not_repeated(folder: Path, text: str) -> None:
    assert "hunter2" not in "\n".join(complaints(folder, f"[mqtt]\n{text}\n{GOOD}"))


# What operators get wrong.

MISTAKES = {
    "a key that is misspelt": (
        f'[mqtt]\nhots = "b"\n{GOOD}',
        ["bridge.toml: [mqtt] hots: is no key here; did you mean host?"],
    ),
    "a key in the wrong table": (
        f'[bridge]\nkeepalive = "30s"\n{GOOD}',
        ["bridge.toml: [bridge] keepalive: is no key here; the keys are state_dir, "],
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
    "a name with capitals and spaces": (
        GOOD.replace("rooms.boardroom", 'rooms."Board Room"'),
        ["bridge.toml: [rooms] Board Room: a name has only lower-case letters, digits, - and _"],
    ),
    "a server that is not there": (
        GOOD.replace('server = "main"', 'server = "mian"'),
        ["bridge.toml: [rooms.boardroom] server: 'mian' is no server; did you mean main?"],
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
    "a URL for a host": (
        f'[mqtt]\nhost = "tcp://broker"\n{GOOD}',
        ["bridge.toml: [mqtt] host: 'tcp://broker' is no host; write a name or"],
    ),
    "a password for nobody": (
        f'[mqtt]\npassword = "hunter2"\n{GOOD}',
        ["bridge.toml: [mqtt] username: is missing; a password is sent only together with"],
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


@pytest.mark.parametrize("mistake", MISTAKES, ids=str)
def test_mistakes_read_aloud(folder: Path, mistake: str) -> None:
    """Everything at once, each with file, table, key, and what would be right."""
    text, expected = MISTAKES[mistake]
    said = complaints(folder, text)
    assert len(said) == len(expected), said
    for line, start in zip(sorted(said), sorted(expected), strict=True):
        assert line.startswith(start)


def test_mistakes_are_named_where_they_were_made(folder: Path) -> None:
    """Not the file's fault: the command line's, a variable's, a secret's."""
    secrets = folder / "secrets"
    secrets.mkdir()
    (secrets / "mqtt__transport").write_text("udp")
    os.environ["CREDENTIALS_DIRECTORY"] = "secrets"
    os.environ["HMP_BRIDGE_MQTT__KEEPALIVE"] = "long"
    said = complaints(folder, f'[mqtt]\nprotocol = "4"\n{GOOD}', mqtt={"port": "x"})
    sources = sorted(line.split(": [mqtt]")[0] for line in said)
    assert sources == [
        "bridge.toml",
        "command line, --set mqtt.port",
        "environment variable HMP_BRIDGE_MQTT__KEEPALIVE",
        f"secret {Path('secrets', 'mqtt__transport')}",
    ]


def test_a_whole_table_in_a_variable(folder: Path) -> None:
    os.environ["HMP_BRIDGE_MQTT"] = '{"host": "json"}'
    assert loaded(folder).mqtt.host == "json"
    os.environ["HMP_BRIDGE_MQTT"] = "broker"
    [said] = complaints(folder, GOOD)
    assert said.startswith("environment variable HMP_BRIDGE_MQTT: mqtt: is no JSON object; set one")
    os.environ["HMP_BRIDGE_MQTT"] = '{"port": "x"}'
    assert complaints(folder, GOOD) == [
        "environment variable HMP_BRIDGE_MQTT: [mqtt] port: must be a whole number, not 'x'"
    ]


def test_what_cannot_be_read(folder: Path) -> None:
    (folder / "bridge.toml").write_bytes(b"# caf\xe9\n")
    with pytest.raises(ConfigurationError) as caught:
        load(Path("bridge.toml"))
    assert str(caught.value) == "bridge.toml: is not UTF-8 text, from byte 5 on; save it as UTF-8"


def test_faults_without_a_file() -> None:
    error = ConfigurationError([Fault((), "is wrong")])
    assert str(error) == "configuration: is wrong"


# Durations.


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("300ms", 0.3), ("30s", 30), ("10m", 600), ("4h", 14400), ("1d", 86400), (" 1.5 s ", 1.5)],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "value", [30, 30.0, "30", "", "s", "-1s", "1e3s", "1 min", True, None, "1s1s"]
)
def test_what_is_no_duration(value: object) -> None:
    with pytest.raises(ValueError, match="300ms, 30s or 4h"):
        parse_duration(value)
