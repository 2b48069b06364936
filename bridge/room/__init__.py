"""One room and its recorder: what presses, meetings, HMP's answers and time make of it.

Everything is decided in pure functions from a `RoomState` to a `Change`; `worker` alone runs, and
with `memory` it is all here that does I/O. Three floors, each of which sees only those below:
`facts`, what there is; `rules`, what is made of it; `memory`, what outlives the process. To read
it from the beginning:

- `facts.vocabulary`: the words. Actions, states, outcomes, alarms, and the steps that HMP is asked
  for.
- `facts.values`: what goes in and out. Instants, requests, results.
- `facts.state`: all that is known of a room, and how its published state follows from that.
- `rules.turn`: one change of a state on its way, with the results that fall due.
- `rules.model`: `decide` a request, by `rules.table`, an action in each state; `tick`;
  `link_changed`.
- `rules.plan`: `next_step`, the command that a state calls for, and when it should be looked at
  again.
- `rules.answers`: `apply`, what HMP's answer does.
- `rules.guarded`: what becomes of a message over which one of these fails.
- `outlook`: when all this is gone through again because time has passed.
- `delivery`: what brings a request to the room; `arrivals`: what else comes to its loop.
- `exchange`: the step on its way to HMP; `writings`: what is written down before it is heard of.
- `worker`: the loop that holds these together, the walk of a press through it, and the `Audience`
  that hears what comes of it.

Then by subject:

- a recording: `rules.recording_status` (HMP's word for it), `rules.endings` (how it ends, and what
  takes its place), `rules.lost_start` (a start without a reply), `rules.limits` (how long it may
  last), `rules.foreign_commands` (what others told HMP about it)
- what it belongs to and is given: `rules.meetings` (with `rules.meeting_ends`), `rules.details`,
  `rules.live`
- what is made for it: `rules.session` and `rules.restream`, with their values in `facts.created`
- requests in words: `facts.requests`, `facts.problems` (why one is refused), `rehearse` (what one
  would do)
- settings: `facts.policy`, and `rules.reconfigure` where they change while it runs
- what outlives the process: `facts.state.Kept` (the fields, and by `facts.restart` what becomes of
  each), `memory.durable` (their document, and what a restart makes of it),
  `memory.memory` (when it is written), `memory.retained` (a replaced box, which has only its own
  retained topics)
- `stages`: when a request was received, sent and answered, for the log and the metrics

Singular modules hold values, plural ones what happens to them: `meeting` and `meetings`, `detail`
and `details`, `answer` and `answers`. The subjects' functions are called alike: `pressed` takes a
request, and of meetings a participle takes an event; `step` or `errand` says what to send;
everywhere else a participle takes HMP's answer; `settle` is what passes by itself. When that is
follows from what it asks the clock (`plan.wake_in`).
"""
