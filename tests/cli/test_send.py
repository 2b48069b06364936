"""`hmp-bridge send`: quoted on the way there, said and told by its exit code on the way back."""

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.cli.main import ExitCode, run
from tests.brokers import free_port
from tests.process.hmp import Hmp, session_of
from tests.process.programs import HMP_BRIDGE, clean_environment, run_bridge
from tests.process.watched import PATIENCE

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
        "'mian' is no server; did you mean main?\n",
    )


def test_send_without_an_answer(send: Send, hmp: Hmp) -> None:
    hmp.fault("half_open:startRecording:count=1")
    settings = ("servers.main.start_timeout=500ms",)
    code, out, err = send("startRecording", session_of(0), settings=settings)
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
    hmp.fault("delay:getRecordingStatus:600:count=1")
    with subprocess.Popen(
        [
            HMP_BRIDGE,
            "send",
            "--config",
            str(configured),
            "main",
            "getRecordingStatus",
            session_of(9),
        ],
        env=clean_environment(),
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        hmp.wait_until(lambda hmp: hmp.do("faults")["faults"] == [], "the command")
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert "Traceback" not in errors
