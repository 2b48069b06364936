"""The line `request done`: once per request, with its stages, whatever the broker does."""

from structlog.testing import capture_logs

from bridge.logs.request_lines import RequestLog
from bridge.room.facts.values import Now, Problem, Result
from bridge.room.facts.vocabulary import Outcome, State
from bridge.room.stages import Stages

OK = Result("7", "record", "topic", Outcome.OK, State.RECORDING, took=0.04)


class Clock:
    """A clock that is set."""

    now = 10.0

    def __call__(self) -> Now:
        return Now(self.now, 0.0)


def logged() -> tuple[RequestLog, Clock]:
    clock = Clock()
    requests = RequestLog(clock)
    requests.broker(online=True)
    return requests, clock


def test_it_is_written_when_the_broker_has_the_result() -> None:
    requests, clock = logged()
    with capture_logs() as lines:
        line = requests.given("r0", OK, Stages(9.95, 9.96, 9.99))
        assert lines == []
        clock.now = 10.05
        requests.arrived(line)
    assert lines == [
        {
            "event": "request done",
            "log_level": "info",
            "room": "r0",
            "action": "record",
            "id": "7",
            "outcome": "ok",
            "state": "recording",
            "ms": 100.0,
            "sent_ms": 10.0,
            "answered_ms": 30.0,
            "published_ms": 60.0,
        }
    ]


def test_stages_that_were_not_passed_are_left_out() -> None:
    requests, clock = logged()
    refused = Result(
        "8", "pause", "topic", Outcome.FAILED, State.IDLE, Problem("idle", "nothing runs", "record")
    )
    with capture_logs() as lines:
        line = requests.given("r0", refused, Stages(9.99))
        clock.now = 10.01
        requests.arrived(line)
    assert not {"sent_ms", "answered_ms"} & lines[0].keys()
    assert (lines[0]["ms"], lines[0]["published_ms"]) == (20.0, 20.0)
    assert lines[0]["error"] == "nothing runs"


def test_without_a_broker_it_is_written_at_once_and_once() -> None:
    requests, _ = logged()
    stages = Stages(9.95, 9.96, 9.99)
    with capture_logs() as lines:
        before = requests.given("r0", OK, stages)
        requests.broker(online=False)
        assert len(lines) == 1  # it was on its way when the broker went
        meanwhile = requests.given("r1", OK, stages)
        assert len(lines) == 2
        requests.broker(online=True)
        requests.arrived(before)
        requests.arrived(meanwhile)
        requests.arrived(requests.given("r2", OK, stages))
    assert [line["room"] for line in lines] == ["r0", "r1", "r2"]
    assert [line.get("published_ms") for line in lines] == [None, None, 10.0]
    assert lines[0]["ms"] == 40.0
