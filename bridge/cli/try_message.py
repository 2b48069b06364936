"""`hmp-bridge try`: what the bridge would make of a message, in words; nothing is sent anywhere."""

from collections.abc import Iterator
from dataclasses import dataclass

from ..bindings.binding import Binding, Verdict, take
from ..bindings.outcome import Arrival, Failed, Heard, made
from ..bindings.timing import Track
from ..config.bindings import make_bindings
from ..config.configuration import Configuration
from ..hmp.syntax import encode_command
from ..mqtt.filters import captures
from ..mqtt.inputs import EmptyPress, Malformed, Nothing, parse
from ..mqtt.topics import Input, Topics
from ..room.facts.requests import NotUnderstood, request
from ..room.facts.values import Now
from ..room.rehearse import Rehearsal, rehearse
from ..text.json_text import told_in_words

__all__ = ["Trial", "try_message"]


@dataclass(frozen=True, slots=True)
class Trial:
    """The effect of a message: lines for a person, and whether anything would happen."""

    lines: tuple[str, ...]
    acts: bool


def try_message(configuration: Configuration, arrival: Arrival, now: Now) -> Trial:
    """Play a message through bindings, rooms and the commands for HMP.

    Bindings of other topics come last: of a building's hundred, few are about one message.
    """
    topics = Topics(configuration.mqtt.base_topic)
    bindings = make_bindings(configuration.bindings)
    trial = _Trial(configuration, now)
    if any(captures(each, arrival.topic) is not None for each in topics.inputs):
        trial.own_input(topics, arrival)
    elif arrival.topic.startswith(f"{topics.base}/"):
        trial.say(f"{arrival.topic} is below the bridge's own {topics.base}/ and no input of rooms")
    elif not bindings:
        trial.say(f"{arrival.topic} is no topic of the bridge, and there are no [[bindings]]")
    else:
        for binding in sorted(bindings, key=lambda each: not _hears(each, arrival)):
            trial.bound(binding, arrival)
    return Trial(tuple(trial.lines), trial.acts)


def _hears(binding: Binding, arrival: Arrival) -> bool:
    return captures(binding.topic_filter, arrival.topic) is not None


class _Trial:
    def __init__(self, configuration: Configuration, now: Now) -> None:
        self._configuration = configuration
        self._now = now
        self.lines: list[str] = []
        self.acts = False

    def say(self, line: str, depth: int = 0) -> None:
        self.lines.append("  " * depth + line)

    def own_input(self, topics: Topics, arrival: Arrival) -> None:
        if arrival.retained:
            self.say("ignored: a retained message is never acted on; publish it without retain")
            return
        try:
            given = parse(topics, arrival.topic, arrival.payload)
        except Malformed as error:
            self.say(f"refused: {error.reason}")
            return
        if isinstance(given, EmptyPress):
            table = self._configuration.rooms.get(given.press.room)
            if table is None or not table.empty_is_press:
                self.say("ignored: an empty press is none; send true, or set empty_is_press")
                return
            given = given.press
        if isinstance(given, Nothing):
            self.say("ignored: the falling edge of a button means nothing")
            return
        self.say(f"{arrival.topic} is an input of room {given.room}")
        self._carry_out(given, arrival.topic)

    def bound(self, binding: Binding, arrival: Arrival) -> None:
        rooms = self._configuration.room_names
        captured = captures(binding.topic_filter, arrival.topic)
        if captured is None:
            self.say(f"{binding.label}: no: the topic is another one")
            return
        _, (verdict,) = take([binding], {}, arrival, self._now, rooms)
        outcome, when = verdict.outcome, ""
        if outcome is None:
            outcome, when = self._otherwise(verdict, Heard(arrival, captured, self._now, rooms))
        if outcome is None:
            self.say(f"{binding.label}: no: {verdict.reason}")
            return
        self.say(f"{binding.label}: yes{when}")
        if isinstance(outcome, Failed):
            self.say(f"but it cannot be carried out: {outcome.reason}", 1)
        else:
            self._carry_out(outcome, arrival.topic)

    def _otherwise(self, verdict: Verdict, heard: Heard) -> tuple[Input | Failed | None, str]:
        """The effect of a message that acts only together with another one."""
        binding = verdict.binding
        if verdict.later is not None:
            return made(binding.wish, heard), f", but later: {verdict.reason}"
        pressed = Track(level=True, pressed_at=self._now.monotonic)
        memory = {(0, verdict.topic): pressed}
        _, (again,) = take([binding], memory, heard.arrival, self._now, heard.rooms)
        return again.outcome, ", if it was pressed before: this is its release"

    def _carry_out(self, given: Input, origin: str) -> None:
        kind = "event" if given.event else "action"
        self.say(f"{kind} {given.word} of room {given.room}", 1)
        for name, value in given.parameters.items():
            self.say(f"{name} = {told_in_words(value)}", 2)
        for reason in given.left_out:
            self.say(f"left out: {reason}", 2)
        room = self._configuration.rooms.get(given.room)
        if room is None:
            known = ", ".join(self._configuration.rooms)
            self.say(f"refused: {given.room!r} is no room; configured are: {known}", 1)
            return
        try:
            asked = request(
                given.word,
                given.parameters,
                event=given.event,
                request_id="try" if given.id is None else given.id,
                origin=origin,
                received_at=self._now.monotonic,
                left_out=given.left_out,
            )
        except NotUnderstood as error:
            self.say(f"refused: {error.problem.message}. {error.problem.explanation}", 1)
            return
        self.acts = True
        policy = room.policy(self._configuration.servers[room.server], given.room)
        idle = rehearse(policy, asked, self._now)
        self._tell("while the room is idle", idle)
        if not idle.commands:
            self._tell("while it is recording", rehearse(policy, asked, self._now, recording=True))

    def _tell(self, when: str, rehearsal: Rehearsal) -> None:
        result = rehearsal.result
        outcome = "still waits" if result is None else str(result.outcome)
        because = "" if result is None or result.problem is None else f": {result.problem.message}"
        self.say(f"{when}: {outcome}{because}; the room is {rehearsal.state} then", 1)
        for line in _lines(rehearsal):
            self.say(line, 2)


def _lines(rehearsal: Rehearsal) -> Iterator[str]:
    for command in rehearsal.commands:
        yield encode_command([command.name, *command.arguments()]).decode().rstrip("\n")
    if not rehearsal.commands:
        yield "nothing is sent to HMP"
