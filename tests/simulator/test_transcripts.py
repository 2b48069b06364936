"""Every transcript, played against a world; one of them over a socket as well."""

from pathlib import Path

import pytest
import trio

from bridge.simulator.execution import execute
from bridge.simulator.faults import Fault
from bridge.simulator.server import Simulator, serve
from tests.transcript import TRANSCRIPTS, Directive, Exchange, Names, read_transcript

from .worlds import Clock, example_world, world_of


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_world_answers_as_written(path: Path) -> None:
    clock = Clock()
    world = example_world(clock)
    names = Names()
    played = 0
    for part in read_transcript(path):
        match part:
            case Directive(word="knob", text=text):
                name, _, value = text.partition("=")
                world.knobs = world.knobs.with_value(name, value)
            case Directive(word="fault", text=text):
                world.faults.add(Fault.from_text(text))
            case Directive(word="wait", text=text):
                clock.time += float(text)
            case Directive(word="world", block=block):
                world = world_of(block, clock)
            case Exchange(place, request, expected):
                answer = execute(world, names.fill(request))
                assert names.matches(expected or "", answer), f"{place}: {request} → {answer}"
                played += 1
            case Directive(place=place):
                pytest.fail(f"{place}: no such directive")
    assert played > 0


async def test_server_answers_as_written() -> None:
    guide = next(path for path in TRANSCRIPTS if path.stem == "guide")
    names = Names()
    async with trio.open_nursery() as nursery:
        port = await nursery.start(serve, Simulator(example_world()))
        async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
            for part in read_transcript(guide):
                assert isinstance(part, Exchange)
                await stream.send_all(names.fill(part.request).encode() + b"\n")
                answer = await stream.receive_some()
                assert names.matches(f"{part.response}\n", answer.decode()), part.place
        nursery.cancel_scope.cancel()


def test_transcripts_cover_the_21_commands() -> None:
    guide = next(path for path in TRANSCRIPTS if path.stem == "guide")
    requests = [part.request for part in read_transcript(guide) if isinstance(part, Exchange)]
    assert len({request.split()[0] for request in requests}) == 21 + len(
        {"undefinedCommand", "shareRecording"}
    )


def test_reader_reads_blocks_and_unanswered_lines(tmp_path: Path) -> None:
    path = tmp_path / "some.txt"
    path.write_text("= world\n| [access]\n| enabled = false\n> a\n# why\n< b\n> c\n\n> d\n")
    assert list(read_transcript(path)) == [
        Directive("some.txt:1", "world", "", "[access]\nenabled = false\n"),
        Exchange("some.txt:4", "a", "b"),
        Exchange("some.txt:7", "c", None),
        Exchange("some.txt:9", "d", None),
    ]


def test_reader_names_the_bad_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.txt"
    path.write_text("> a\n< b\nnonsense\n")
    with pytest.raises(ValueError, match=r"bad\.txt:3: .*'nonsense'"):
        list(read_transcript(path))


def test_names_bind_and_refuse() -> None:
    names = Names()
    one = "0badc0de-0000-4000-8000-00000000000f"
    assert names.matches("OK|<uuid:it>", f"OK|{one}")
    assert names.fill("stop <it>") == f"stop {one}"
    assert names.matches("'<it>' x", f"'{one}' x")
    assert not names.matches("OK|<uuid>", "OK|nope")
    assert names.fill("<uuid>") != names.fill("<uuid>")
