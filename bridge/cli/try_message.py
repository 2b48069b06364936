"""`hmp-bridge try`: what the bridge would make of a message, in words; nothing is sent anywhere."""

from collections.abc import Iterator
from dataclasses import dataclass

from ..api.bridge_requests import Verb, check_verb, verb_called
from ..api.checks import Rejected, check_command, check_topic, how_to_ask, malformed
from ..api.service import read_request
from ..bindings.binding import Binding, Verdict, take
from ..bindings.outcome import Arrival, Failed, Heard, made
from ..bindings.timing import Track
from ..config.bindings import make_bindings
from ..config.configuration import Configuration
from ..hmp.commands import StartRecording
from ..hmp.syntax import encode_command
from ..mqtt.api_topics import Asked, CommandTopic, VerbTopic, answer_topic, parse_topic
from ..mqtt.catalogue import ROWS, Direction
from ..mqtt.filters import captures
from ..mqtt.inputs import EmptyPress, Malformed, Nothing, parse
from ..mqtt.topics import Input, Topics
from ..room.facts.requests import NotUnderstood, request
from ..room.facts.values import Now
from ..room.rehearse import Rehearsal, rehearse
from ..text.json_text import told_in_words
from ..text.nearest import did_you_mean

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
    topics = configuration.topics
    bindings = make_bindings(configuration.bindings)
    trial = _Trial(configuration, now)
    if any(captures(each, arrival.topic) is not None for each in topics.inputs):
        trial.own_input(topics, arrival)
    elif (asked_on := parse_topic(topics, arrival.topic)) is not None:
        trial.request(topics, asked_on, arrival)
    elif arrival.topic.startswith(f"{topics.base}/"):
        trial.no_input(topics, arrival.topic)
    elif not bindings:
        trial.say(f"{arrival.topic} is no topic of the bridge, and there are no [[bindings]]")
    else:
        for binding in sorted(bindings, key=lambda each: not _hears(each, arrival)):
            trial.bound(binding, arrival)
    return Trial(tuple(trial.lines), trial.acts)


def _hears(binding: Binding, arrival: Arrival) -> bool:
    return captures(binding.topic_filter, arrival.topic) is not None


_RETAINED = "ignored: a retained message is never acted on; publish it without retain"

_VERBS = {
    Verb.INFO: "it answers what its retained info says: version, rooms and servers",
    Verb.HEALTH: "it measures round trips, to the broker too, and one write to the disk",
    Verb.RELOAD: "it reads its configuration again, and changes what differs",
    Verb.ANNOUNCE: "it publishes all of its retained topics again",
    Verb.LOG_LEVEL: "it logs from that level on",
    Verb.YIELD: "it leaves to another box, where one is ready",
}
"""The effect of each request to the bridge itself."""


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
            self.say(_RETAINED)
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

    def no_input(self, topics: Topics, topic: str) -> None:
        """A topic below the bridge's own that nobody is to publish to."""
        leaves = [row for row in ROWS if row.direction is Direction.PUBLISH]
        rooms, servers = list(self._configuration.rooms), list(self._configuration.servers)
        inputs = [
            f"{topics.base}/{row.path.replace(f'{{{owner}}}', name)}"
            for row in leaves
            for owner, named in (("room", rooms), ("server", servers))
            for name in named
        ]
        own = (
            f"{topic} is below the bridge's own {topics.base}/ and no input of rooms, nor a request"
        )
        self.say(f"{own}; {did_you_mean(topic, inputs, 'hmp-bridge topics lists those of rooms')}")

    def request(self, topics: Topics, asked_on: CommandTopic | VerbTopic, arrival: Arrival) -> None:
        """A request by name, to an HMP or to the bridge itself."""
        if arrival.retained:
            self.say(_RETAINED)
            return
        asked, unreadable = read_request(asked_on, arrival.payload)
        try:
            if isinstance(asked_on, CommandTopic):
                self._command(asked_on, asked, unreadable)
            else:
                self._verb(asked_on, asked, unreadable)
        except Rejected as rejected:
            self.say(f"refused: {rejected.problem.message}. {rejected.problem.explanation}", 1)
        answered = answer_topic(topics, asked_on, self._configuration.servers)
        self.say(f"the answer is on {answered}", 1)

    def _command(self, asked_on: CommandTopic, asked: Asked, unreadable: str | None) -> None:
        servers = self._configuration.servers
        self.say(f"a request to server {asked_on.server}: {asked_on.command}")
        command_class = check_topic(
            asked_on, {name: each.rules() for name, each in servers.items()}
        )
        if unreadable is not None:
            raise Rejected(malformed(unreadable, how_to_ask(command_class)))
        command = check_command(command_class, asked)
        self.acts = True
        line = encode_command([command.name, *command.arguments()]).decode().rstrip("\n")
        rooms = self._configuration.rooms.items()
        if isinstance(command, StartRecording):
            session = command.session.lower()
            for name, room in rooms:
                if room.server == asked_on.server and (room.session or "").lower() == session:
                    self.say(f"its session is that of room {name}: the room records", 1)
                    self.say("while it is recording: failed: already_recording", 1)
        self.say(line, 2)

    def _verb(self, asked_on: VerbTopic, asked: Asked, unreadable: str | None) -> None:
        self.say(f"a request to the bridge itself: {asked_on.verb}")
        verb = verb_called(asked_on.verb)
        if unreadable is not None:
            raise Rejected(malformed(unreadable, "Send a JSON object, or nothing."))
        check_verb(verb, asked)
        self.acts = True
        self.say(_VERBS[verb], 1)
        self.say("nothing is sent to HMP" if verb is not Verb.HEALTH else "each HMP is asked", 2)

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
            rooms = self._configuration.rooms
            hint = did_you_mean(given.room, rooms, f"configured are: {', '.join(rooms)}")
            self.say(f"refused: {given.room!r} is no room; {hint}", 1)
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
