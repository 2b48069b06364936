"""What can be set: the annotated example, the defaults, and what the parts are handed."""

import sys
import tomllib
from pathlib import Path

import pytest

from bridge.config.configuration import Configuration
from bridge.config.load import load
from bridge.demo.demo import DEMO
from bridge.hmp.commands import COMMANDS
from bridge.logs.redaction import SECRETS
from bridge.room.facts.vocabulary import State

from .files import GOOD, SESSION, SOURCE, SOURCES, complaints, loaded

ROOT = Path(__file__).parents[2]


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
        elif line in ("# [bridge]", "# [web]", "# [homeassistant]"):
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


@pytest.mark.parametrize("missing", ["anycorn", "prometheus_client", "starlette"])
@pytest.mark.parametrize("table", ["metrics", "web"])
def test_what_is_served_without_its_extra(
    folder: Path, table: str, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)  # as if it were not installed
    [said] = complaints(folder, GOOD, **{table: {"listen": "127.0.0.1:9464"}})
    assert "pip install 'hmp-bridge[web]'" in said
    assert loaded(folder).metrics.listen is None


def test_secrets_show_nowhere(folder: Path) -> None:
    configuration = loaded(folder, f'[mqtt]\nusername = "bridge"\npassword = "hunter2"\n{GOOD}')
    shown = [str(configuration), repr(configuration), configuration.model_dump_json()]
    shown += [repr(configuration.broker("x")), str(configuration.mqtt.model_dump())]
    assert "hunter2" not in "".join(shown)
    assert configuration.broker("x").password == "hunter2"
    assert SECRETS.hide("said hunter2") == "said (hidden)"
    other = loaded(folder, f'[mqtt]\nusername = "bridge"\npassword = "hunter3"\n{GOOD}')
    assert configuration.digest == other.digest
    assert configuration.digest != loaded(folder).digest
    assert len(configuration.digest) == 12
