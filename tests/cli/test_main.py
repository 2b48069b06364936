"""The command line: what it takes, what `check` prints, and with which code it exits."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bridge import __version__
from bridge.cli.main import ExitCode, run
from tests.process.hmp import Hmp, session_of
from tests.process.programs import HMP_BRIDGE, clean_environment, run_bridge

EXAMPLE = Path(__file__).parents[2] / "config" / "bridge.toml"


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
        (["send", "--help"], "trio paho pydantic_settings structlog"),
        (["simulate", "--help"], "paho pydantic pydantic_settings"),
        (["check", "--config", str(EXAMPLE)], "paho trio"),
        (["schema"], "paho trio rich"),
        (["unit"], "trio paho pydantic pydantic_settings structlog"),
        (["example-config"], "trio paho pydantic pydantic_settings structlog"),
        (["topics", "--config", str(EXAMPLE)], "paho trio rich"),
        (["asyncapi", "--config", str(EXAMPLE)], "paho trio rich"),
        (["openapi", "--config", str(EXAMPLE)], "paho trio rich starlette anycorn"),
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
        ("", "the following arguments are required: COMMAND"),
        ("rnu", "'rnu' is no command; did you mean run?"),
        ("frob", "'frob' is no command; the commands are run, demo, simulate, check, watch"),
        ("--config x run", "--config comes after the command, as in hmp-bridge run --config"),
        ("-x", "-x is no option here; the options are -h, --help, --version"),
        ("run --confg x", "--confg is no option here; did you mean --config?"),
        ("run --conf x", "--conf is no option here; did you mean --config?"),
        ("run -config x", "-config is no option here; did you mean --config?"),
        ("run --confg=x", "--confg is no option here; did you mean --config?"),
        ("check --room x", "--room is no option here; the options are -h, --help, --config"),
        ("check x", "x: that is more than it takes"),
        ("check -- --live", "-- --live: that is more than it takes"),
        ("check --config", "argument --config: expected one argument"),
        ("send", "the following arguments are required: SERVER, COMMAND"),
        ("send main", "the following arguments are required: COMMAND"),
        ("send --confg x", "--confg is no option here; did you mean --config?"),
        ("try --topc a/b", "--topc is no option here; did you mean --topic?"),
        (
            "try --topic a --payload -on",
            "--payload -on: a value that begins with - goes --payload=-on",
        ),
        ("topics --format txt", "argument --format: 'txt' is none of them; did you mean text?"),
        ("completion tcsh", "argument SHELL: 'tcsh' is none of them; write one of bash, zsh, fish"),
        ("simulate --prot 1", "--prot is no option here; did you mean --port?"),
        ("simulate --port x", "'x' is not a port (0 to 65535)"),
        ("simulate --seed x", "'x' is not a whole number"),
        ("simulate --fault dealy", "no fault 'dealy'; did you mean delay?"),
        ("simulate --fault explode", "no fault 'explode'; kinds are"),
        (
            "simulate --fault delay:startRecordng",
            "'startRecordng'; did you mean startRecording?",
        ),
        ("simulate --knob stop_tkes=1", "no knob named 'stop_tkes'; did you mean stop_takes?"),
        ("simulate --knob stop_takes", "'stop_takes' is not NAME=VALUE"),
        (
            "run --config ~nobody-here/x",
            "'~nobody-here/x' is below ~nobody-here, which is no user",
        ),
    ],
)
def test_usage_is_exit_64(
    arguments: str, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code: object = run(arguments.split())
    except SystemExit as leaving:
        code = leaving.code
    said = capsys.readouterr()
    assert code == ExitCode.USAGE
    assert complaint in said.err
    assert said.out == ""


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
    assert run(["check", "--config", str(configured), *options]) == ExitCode.USAGE
    assert complaint in capsys.readouterr().err


def test_set_reaches_deep_and_wins(
    configured: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ["--set", "servers.main.port=1", "--set", "servers.main.host=a=b"]
    monkeypatch.setenv("HMP_BRIDGE_SERVERS__MAIN__PORT", "2")
    assert run(["check", "--config", str(configured), *options]) == ExitCode.OK
    assert "server main: a=b port 1\n" in capsys.readouterr().out


# run.


def test_run_without_a_state_folder_is_exit_69(configured: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    folder = tmp_path / "file" / "state"
    done = run_bridge("run", "--config", str(configured), "--set", f"bridge.state_dir={folder}")
    assert done.returncode == ExitCode.UNAVAILABLE
    assert str(folder) in done.stderr
    assert "bridge.state_dir" in done.stderr
    assert "Traceback" not in done.stderr
