"""The command line: what each command prints, and with which code it exits."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bridge import __version__
from bridge.cli.main import ExitCode, run
from tests.brokers import free_port
from tests.process.hmp import Hmp, session_of
from tests.process.programs import HMP_BRIDGE, clean_environment, run_bridge

CONFIGURATION = """
[mqtt]
username = "bridge"
password = "hunter2"

[servers.main]
host = "127.0.0.1"
port = {port}
query_timeout = "500ms"
start_timeout = "500ms"

[rooms.r0]
server = "main"
session = "{session}"
"""


@pytest.fixture(scope="module")
def hmp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hmp]:
    """An HMP for all tests of this module; a test that arms faults lets them go off."""
    with closing(Hmp(tmp_path_factory.mktemp("hmp"), rooms=1)) as running:
        yield running


@pytest.fixture
def configured(tmp_path: Path, hmp: Hmp) -> Path:
    """A configuration with that HMP as its server `main`."""
    file = tmp_path / "bridge.toml"
    file.write_text(CONFIGURATION.format(port=hmp.port, session=session_of(0)), encoding="utf-8")
    return file


EXAMPLE = Path(__file__).parents[1] / "config" / "bridge.toml"

Send = Callable[..., tuple[int, str, str]]


@pytest.fixture
def send(configured: Path, capsys: pytest.CaptureFixture[str]) -> Send:
    """`hmp-bridge send main …` in this process: exit code, output, errors."""

    def call(
        *words: str, server: str = "main", settings: tuple[str, ...] = ()
    ) -> tuple[int, str, str]:
        options = [word for setting in settings for word in ("--set", setting)]
        code = run(["send", "--config", str(configured), *options, server, *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


# Without a configuration.


def test_version_from_every_side() -> None:
    module = subprocess.run(
        [sys.executable, "-W", "error", "-m", "bridge", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert module.stdout == run_bridge("--version").stdout == f"hmp-bridge {__version__}\n"
    assert module.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "never"),
    [
        (["--version"], "trio paho pydantic pydantic_settings structlog argparse"),
        (["--help"], "trio paho pydantic pydantic_settings structlog"),
        (["simulate", "--help"], "paho pydantic pydantic_settings"),
        (["check", "--config", str(EXAMPLE)], "paho trio"),
        (["schema"], "paho trio rich"),
        (["topics", "--config", str(EXAMPLE)], "paho trio rich"),
        (["asyncapi", "--config", str(EXAMPLE)], "paho trio rich"),
    ],
)
def test_what_is_not_needed_is_not_imported(arguments: list[str], never: str) -> None:
    program = (
        "import sys, atexit\n"
        "atexit.register(lambda: print('loaded:', *sys.modules, file=sys.stderr))\n"
        f"sys.argv = ['hmp-bridge', *{arguments!r}]\n"
        "from bridge.__main__ import main\n"
        "main()\n"
    )
    # Coverage itself imports argparse and more; this process is not measured.
    environment = {n: v for n, v in clean_environment().items() if not n.startswith("COV")}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment
    )
    loaded = set(done.stderr.partition("loaded:")[2].split())
    assert "bridge" in loaded
    assert loaded.isdisjoint(never.split())


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["recrod"], "invalid choice: 'recrod' (choose from"),
        (["run", "--confg", "x"], "unrecognized arguments: --confg x"),
        (["send"], "the following arguments are required: server, command"),
        (["send", "main"], "the following arguments are required: command"),
        (["check", "--config"], "argument --config: expected one argument"),
        (["simulate", "--port", "x"], "'x' is not a port (0 to 65535)"),
        (["simulate", "--fault", "explode"], "no fault 'explode'; kinds are"),
    ],
)
def test_usage_is_exit_64(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code: object = run(arguments)
    except SystemExit as leaving:
        code = leaving.code
    said = capsys.readouterr()
    assert code == ExitCode.USAGE
    assert complaint in said.err
    assert said.out == ""


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        run(["--help"])
    said = capsys.readouterr().out
    commands = "run demo simulate check watch schema asyncapi topics send"
    for command in commands.split():
        assert f"\n    {command} " in said


@pytest.mark.parametrize(
    "command", [["run"], ["check"], ["send", "main", "getRecordingStatus", "x"]]
)
def test_no_configuration_is_exit_78(command: list[str], tmp_path: Path) -> None:
    done = run_bridge(*command[:1], "--config", str(tmp_path / "no.toml"), *command[1:])
    assert done.returncode == ExitCode.CONFIGURATION
    assert done.stdout == ""
    assert f"no configuration file at {tmp_path / 'no.toml'}; name one with --config" in done.stderr


@pytest.mark.parametrize("command", ["asyncapi", "topics", "check"])
def test_whoever_reads_us_goes_away(command: str) -> None:
    """As `hmp-bridge asyncapi | head -1`, whether the output is long or short: no traceback."""
    with subprocess.Popen(
        [HMP_BRIDGE, command, "--config", str(EXAMPLE)],
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 128 + signal.SIGPIPE


# check.


def test_check_says_what_it_understood(
    configured: Path, hmp: Hmp, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["check", "--config", str(configured)]) == ExitCode.OK
    said = capsys.readouterr()
    assert said.out.splitlines() == [
        f"{configured}: ok",
        "  broker: localhost port 1883, user name bridge, a password",
        f"  server main: 127.0.0.1 port {hmp.port}",
        f"  room r0: session {session_of(0)} on server main",
    ]
    assert said.err == ""


def test_check_says_what_a_room_with_sources_records(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = "b86befc3-7b44-4655-852f-21a77935d110"
    file = tmp_path / "bridge.toml"
    file.write_text(
        f'[servers.main]\nhost = "h"\n[rooms.r0]\nserver = "main"\nsources = ["{source}"]\n'
    )
    assert run(["check", "--config", str(file)]) == ExitCode.OK
    assert f"room r0: sources {source} on server main" in capsys.readouterr().out


def test_check_counts_bindings(configured: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with configured.open("a") as file:
        file.write('[[bindings]]\ntopic = "a"\nroom = "r0"\ndo = "record"\n')
    assert run(["check", "--config", str(configured)]) == ExitCode.OK
    assert capsys.readouterr().out.endswith("  bindings: 1\n")


def test_check_says_everything_that_is_wrong(
    configured: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = configured.read_text(encoding="utf-8").replace("host", "hots").replace("query", "qurey")
    configured.write_text(text, encoding="utf-8")
    assert run(["check", "--config", str(configured), "--set", "mqtt.port=x"]) == 78
    said = capsys.readouterr()
    assert said.out == ""
    assert sorted(said.err.splitlines()) == [
        f"{configured}: [servers.main] host: is missing",
        f"{configured}: [servers.main] hots: is no key here; did you mean host?",
        f"{configured}: [servers.main] qurey_timeout: is no key here; did you mean query_timeout?",
        "command line, --set mqtt.port: [mqtt] port: must be a whole number, not 'x'",
    ]


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        (["mqtt"], "--set mqtt: write KEY=VALUE with the whole key, such as mqtt.host=broker"),
        (["mqtt=x"], "--set mqtt=x: write KEY=VALUE"),
        (["mqtt..host=x"], "--set mqtt..host=x: write KEY=VALUE"),
        (["=x"], "--set =x: write KEY=VALUE"),
        (
            ["mqtt.tls=x", "mqtt.tls.ca=y"],
            "--set mqtt.tls.ca=y: tls has been set to a value, it cannot be a table too",
        ),
    ],
)
def test_set_is_explained(
    configured: Path,
    settings: list[str],
    complaint: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    options = [word for setting in settings for word in ("--set", setting)]
    with pytest.raises(SystemExit) as leaving:
        run(["check", "--config", str(configured), *options])
    assert leaving.value.code == ExitCode.USAGE
    assert complaint in capsys.readouterr().err


def test_set_reaches_deep_and_wins(configured: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--set", "servers.main.port=1", "--set", "servers.main.host=a=b"]
    environment = "HMP_BRIDGE_SERVERS__MAIN__PORT"
    os.environ[environment] = "2"
    try:
        assert run(["check", "--config", str(configured), *options]) == ExitCode.OK
    finally:
        del os.environ[environment]
    assert "server main: a=b port 1\n" in capsys.readouterr().out


# send.


def test_send_quotes_what_it_is_given(send: Send, hmp: Hmp) -> None:
    for title in (
        'He said "hi" \\ é',
        "two\nlines",
        "-leading dash",
        "--config",
        "a\ttab",
        "🎥 | pipe",
        " spaces ",
    ):
        code, out, err = send("createSession", title)
        assert (code, err) == (ExitCode.OK, "")
        identifier = out.strip().removeprefix("OK|")
        created = {each["id"]: each["title"] for each in hmp.do("snapshot", log=0)["sessions"]}
        assert created[identifier] == title


def test_send_as_a_person_types_it(configured: Path) -> None:
    done = run_bridge("send", "--config", str(configured), "main", "createSession", 'é "x" \\')
    assert done.returncode == ExitCode.OK
    assert done.stdout.startswith("OK|")
    assert done.stderr == ""


def test_send_says_what_hmp_says(send: Send) -> None:
    code, out, err = send("getRecordingStatus", session_of(99))
    assert (code, out) == (ExitCode.REFUSED, "ERROR|040001|Active recording not found\n")
    assert len(err.strip()) > 20, "what to do about it"
    code, out, _ = send("startRecording", session_of(0))
    assert code == ExitCode.OK
    recording = out.strip().removeprefix("OK|")
    assert send("getRecordingStatus", recording) == (ExitCode.OK, "OK|RECORDING\n", "")
    assert send("stopRecording", recording) == (ExitCode.OK, "OK\n", "")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("createSession", ""), "sessionTitle: '' must not be blank"),
        (("createSession",), "createSession takes 1 parameter(s) (sessionTitle), not 0"),
        (("createSession", "a", "b"), "takes 1 parameter(s) (sessionTitle), not 2"),
        (("startRecording", "Boardroom"), "'Boardroom' must be a UUID such as"),
        (
            ("getrecordingstatus", "x"),
            "is no command of HMP; did you mean getRecordingStatus?",
        ),
        (("createSession", "a\x07b"), "U+0007"),
    ],
)
def test_send_refuses_what_hmp_would_misunderstand(
    send: Send, hmp: Hmp, words: tuple[str, ...], complaint: str
) -> None:
    executed = len(hmp.commands())
    code, out, err = send(*words)
    assert (code, out) == (ExitCode.USAGE, "")
    assert complaint in err
    assert len(hmp.commands()) == executed


def test_send_to_a_server_that_is_not_configured(send: Send) -> None:
    code, _, err = send("startRecording", session_of(0), server="mian")
    assert (code, err) == (
        ExitCode.USAGE,
        "'mian' is no server; configured are: main\n",
    )


def test_send_without_an_answer(send: Send, hmp: Hmp) -> None:
    hmp.fault("half_open:startRecording:count=1")
    code, out, err = send("startRecording", session_of(0))
    assert (code, out) == (ExitCode.UNKNOWN_OUTCOME, "")
    assert "startRecording" in err
    hmp.fault("lose_reply:startRecording:count=1")
    assert send("startRecording", session_of(0))[0] == ExitCode.UNKNOWN_OUTCOME


def test_send_to_nobody(send: Send) -> None:
    settings = (f"servers.main.port={free_port()}",)
    code, out, err = send("startRecording", session_of(0), settings=settings)
    assert (code, out) == (ExitCode.UNAVAILABLE, "")
    assert "nothing listens on 127.0.0.1" in err
    assert "API Access" in err
    assert "hunter2" not in err


def test_send_where_this_box_is_not_authorized(send: Send, hmp: Hmp) -> None:
    hmp.do("allow", address="10.1.2.3")
    hmp.do("deny", address="*")
    try:
        code, out, err = send("startRecording", session_of(0))
    finally:
        hmp.do("allow", address="*")
    assert code == ExitCode.NOT_AUTHORIZED
    assert "020000" in out
    assert "127.0.0.1" in err
    assert "API Access" in err


def test_interrupted_send(configured: Path, hmp: Hmp) -> None:
    """Ctrl-C while HMP takes its time: the code of a process ended by SIGINT, no traceback."""
    hmp.fault("delay:getRecordingStatus:3:count=1")
    executed = len(hmp.commands())
    with subprocess.Popen(
        [
            HMP_BRIDGE,
            "send",
            "--config",
            str(configured),
            "--set",
            "servers.main.query_timeout=1m",
            "main",
            "getRecordingStatus",
            session_of(9),
        ],
        env=clean_environment(),
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        hmp.wait_until(lambda hmp: hmp.do("faults")["faults"] == [], "the command")
        process.send_signal(2)
        _, errors = process.communicate(timeout=15)
    assert process.returncode == 130
    assert "Traceback" not in errors
    hmp.wait_until(lambda hmp: len(hmp.commands()) >= executed, "settled")


# run.


def test_run_without_a_state_folder_is_exit_69(configured: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    folder = tmp_path / "file" / "state"
    done = run_bridge("run", "--config", str(configured), "--set", f"bridge.state_dir={folder}")
    assert done.returncode == ExitCode.UNAVAILABLE
    assert str(folder) in done.stderr
    assert "bridge.state_dir" in done.stderr
    assert "Traceback" not in done.stderr
