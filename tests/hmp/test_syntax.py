"""Lines of the guide, both directions, whole and in pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.hmp.errors import InvalidArgument, ProtocolViolation
from bridge.hmp.syntax import (
    ErrorLine,
    LineReceiver,
    OkLine,
    decode_response,
    encode_command,
)
from bridge.simulator.lines import read_line

#: Words ↔ line: one table for the writer and for the reader, which is the simulated HMP's.
REQUESTS = [
    (["createSession", "Test"], b"createSession Test\n"),
    (["createSession", "Test Session1"], b'createSession "Test Session1"\n'),
    (["createSession", ""], b'createSession ""\n'),
    (["createSession", 'He said "hi" \\'], b'createSession "He said \\"hi\\" \\\\"\n'),
    (["createSession", "a\nb"], b'createSession "a\\nb"\n'),
    (["createSession", "a\tb"], b'createSession "a\tb"\n'),
    (["createSession", "é🎥"], 'createSession "é🎥"\n'.encode()),
    (["createSession", "C:\\rec\\new"], b'createSession "C:\\\\rec\\\\new"\n'),
    (["setLiveSession", "71ed-7394", "true"], b"setLiveSession 71ed-7394 true\n"),
    (["a", "x\ny", "z|w"], b'a "x\\ny" "z|w"\n'),
]


@pytest.mark.parametrize(("words", "line"), REQUESTS)
def test_request_both_ways(words: list[str], line: bytes) -> None:
    assert encode_command(words) == line
    assert read_line(line[:-1]).words == words


SENDABLE = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x7f").filter(
        lambda c: c >= " " or c in "\t\n"
    )
)


@given(st.lists(SENDABLE, min_size=1))
def test_any_words_survive_quoting_and_stay_one_line(words: list[str]) -> None:
    line = encode_command(words)
    assert line.count(b"\n") == 1
    assert read_line(line[:-1]).words == words


@given(st.lists(st.text(st.sampled_from('ab \\"\n|')), min_size=1))
def test_the_awkward_characters_survive_in_any_mixture(words: list[str]) -> None:
    assert read_line(encode_command(words)[:-1]).words == words


@pytest.mark.parametrize("character", ["\r", "\0", "\x1b", "\x7f", "\ud83c"])
def test_what_cannot_be_sent_is_not_encoded(character: str) -> None:
    with pytest.raises(InvalidArgument, match=f"U\\+{ord(character):04X}"):
        encode_command(["createSession", f"a{character}b"])


RESPONSES = [
    (b"OK", OkLine()),
    (b"OK\r", OkLine()),
    (b"OK|", OkLine("")),
    (b"OK|9eed|x", OkLine("9eed|x")),
    (b"OK 9eed", OkLine("9eed", lenient=True)),
    (b"ERROR|000001|Syntax Error", ErrorLine("000001", "Syntax Error", "000001")),
    (b"ERROR|01003|Expected", ErrorLine("010003", "Expected", "01003")),
    (
        b"ERROR|0700014|Error writing to file",
        ErrorLine("070014", "Error writing to file", "0700014"),
    ),
    (b"ERROR|Command not found", ErrorLine("000002", "Command not found", "")),
    (b"ERROR Command not found", ErrorLine("000002", "Command not found", "", lenient=True)),
    (b"ERROR|something else", ErrorLine("000000", "something else", "")),
    (b"ERROR|010001|'a|b' is not a UUID", ErrorLine("010001", "'a|b' is not a UUID", "010001")),
    (b"ERROR|040001", ErrorLine("040001", "", "040001")),
    (b"ERROR|040006 Session not found", ErrorLine("040006", "Session not found", "040006", True)),
    (b"ERROR 040006 Session not found", ErrorLine("040006", "Session not found", "040006", True)),
    (b"ERROR|9 lives", ErrorLine("000000", "9 lives", "")),
    (b"ERROR|020000|Not Authorized", ErrorLine("020000", "Not Authorized", "020000")),
    (b"Not Authorized", ErrorLine("020000", "Not Authorized", "")),
    (b"not authorized \r", ErrorLine("020000", "not authorized", "")),
    (b"ERROR|010001|'\xff' is not a UUID", ErrorLine("010001", "'�' is not a UUID", "010001")),
]


@pytest.mark.parametrize(("line", "expected"), RESPONSES)
def test_responses(line: bytes, expected: OkLine | ErrorLine) -> None:
    assert decode_response(line) == expected


@pytest.mark.parametrize("line", [b"", b"0K", b"OKAY", b"ok", b"ERROR", b"hello|there", b"\xff"])
def test_what_is_no_response(line: bytes) -> None:
    with pytest.raises(ProtocolViolation):
        decode_response(line)


@given(st.binary())
def test_no_bytes_upset_the_decoder(line: bytes) -> None:
    try:
        decoded = decode_response(line)
    except ProtocolViolation:
        return
    if isinstance(decoded, ErrorLine):
        assert len(decoded.code) >= 6


@pytest.mark.parametrize(("line", "expected"), RESPONSES)
def test_responses_at_every_split_point_and_byte_by_byte(
    line: bytes, expected: OkLine | ErrorLine
) -> None:
    whole = line + b"\nOK"
    splits = [[whole[:at], whole[at:]] for at in range(len(whole) + 1)]
    for chunks in [*splits, [bytes([byte]) for byte in whole]]:
        receiver = LineReceiver()
        lines = [found for chunk in chunks for found in receiver.receive(chunk)]
        assert [decode_response(found) for found in lines] == [expected]
        assert receiver.partial == b"OK"


@given(st.lists(st.binary(max_size=30)), st.integers(0, 40))
def test_chunks_never_matter_to_the_receiver(chunks: list[bytes], limit: int) -> None:
    pieces, whole = LineReceiver(limit), LineReceiver(limit)
    found = [line for chunk in chunks for line in pieces.receive(chunk)]
    assert found == whole.receive(b"".join(chunks))
    assert pieces.overflowed == whole.overflowed
    assert len(pieces.partial) <= limit + 1
    assert all(len(line) <= limit for line in found)


def test_a_line_at_the_limit_passes_and_one_above_ends_it() -> None:
    receiver = LineReceiver(limit=4)
    assert receiver.receive(b"1234\n12") == [b"1234"]
    assert receiver.receive(b"345\n6\n") == []
    assert receiver.overflowed
    assert receiver.receive(b"\n7\n") == []


def test_a_code_of_any_length_is_no_code() -> None:
    """It would stand in every result; what has too many digits is a message."""
    line = decode_response(b"ERROR|" + b"4" * 60_000)
    assert isinstance(line, ErrorLine)
    assert (line.raw_code, len(line.code)) == ("", 6)
