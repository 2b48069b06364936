"""One room and its recorder: what presses, meetings, HMP's answers and time make of it.

Everything is decided in pure functions from a `RoomState` to a `Change`; `worker` alone runs, and
with `memory` it is all here that does I/O. To read it from the beginning:

- `vocabulary`: the words. Actions, states, outcomes, alarms, and the steps that HMP is asked for.
- `values`: what goes in and out. Instants, requests, results.
- `state`: all that is known of a room, and how its published state follows from that.
- `turn`: one change of a state on its way, with the results that fall due.
- `model`: `decide` a request, by `table`, an action in each state; `tick`; `link_changed`.
- `plan`: `next_step`, the command that a state calls for, and when it should be looked at again.
- `answers`: `apply`, what HMP's answer does.
- `worker`: the loop that holds these together, and the walk of a press through it.

Then by subject:

- a recording: `recording_status` (HMP's word for it), `lost_start` (a start without a reply),
  `limits` (how long it may last), `foreign_commands` (what others told HMP about it)
- what it belongs to and is given: `meetings` (with `meeting_ends`), `details`, `live`
- what is made for it: `session` and `restream`, with their values in `made`
- requests in words: `requests`, `problems` (why one is refused), `rehearse` (what one would do)
- settings: `policy`, and `reconfigure` where they change while it runs
- what outlives the process: `durable` (what, and what a restart makes of it), `memory` (when it is
  written), `retained` (a replaced box, which has only its own retained topics)
- `stages`: when a request was received, sent and answered, for the log and the metrics

Singular modules hold values, plural ones what happens to them: `meeting` and `meetings`, `detail`
and `details`, `answer` and `answers`. The subjects' functions are called alike: `pressed` takes a
request, and of meetings a participle takes an event; `step` or `errand` says what to send;
everywhere else a participle takes HMP's answer; `settle` is what passes by itself, and `moments`
when that is.
"""
