"""The end of a command's help, below its options: examples, exit codes, the usual places."""

from collections.abc import Iterator

from ..config.sources import FILE_VARIABLE, USUAL_FILES
from .description import Section
from .options import ExitCode

__all__ = ["EXIT_CODES", "sections_of"]

_ID = "f678f415-0665-48cd-b141-1e95283469f1"
_FOLDER = "~/.local/share/bash-completion/completions"

_EXAMPLES: dict[str, tuple[tuple[str, str], ...]] = {
    "": (
        ("hmp-bridge demo", "everything there is to try, with nothing to configure"),
        ("hmp-bridge check --live", "what is wrong, before the daemon is started"),
        ("hmp-bridge COMMAND --help", "options, examples and exit codes of one command"),
    ),
    "run": (
        ("hmp-bridge run", "with the configuration from the first of the usual places"),
        ("hmp-bridge run --config bridge.toml --set bridge.log_level=debug", "saying more"),
    ),
    "demo": (
        ("hmp-bridge demo", "then type record, stop, … and Enter; Ctrl-C ends it"),
        ("hmp-bridge demo --no-bridge", "and in another terminal: hmp-bridge run"),
    ),
    "simulate": (
        ("hmp-bridge simulate", "on port 23233, with the example world"),
        ("hmp-bridge simulate --fault delay:startRecording:2.5", "a start takes 2.5 s"),
        ("hmp-bridge simulate --fault error:*:070000:seconds=60", "not ready for a minute"),
        ("hmp-bridge simulate --fault lose_reply:startRecording:count=1", "one reply is lost"),
        ("hmp-bridge simulate --knob status_after_stop=040001", "one of HMP's other ways"),
    ),
    "check": (
        ("hmp-bridge check", "what is wrong in the configuration, all of it at once"),
        ("hmp-bridge check --live", "also broker, HMP, sessions, rights and state folder"),
    ),
    "watch": (
        ("hmp-bridge watch", "q or Ctrl-C leaves"),
        ("hmp-bridge watch | grep /alarm", "plain lines, into a pipe or a file"),
    ),
    "schema": (("hmp-bridge schema > bridge.schema.json", "beside bridge.toml, for editors"),),
    "asyncapi": (("hmp-bridge asyncapi > hmp-bridge.json", "every topic and every payload"),),
    "openapi": (("hmp-bridge openapi > hmp-bridge.json", "every path and every answer"),),
    "topics": (
        ("hmp-bridge topics --room boardroom", "to hand over to the panel's programmer"),
        ("hmp-bridge topics --format csv > topics.csv", "to import"),
    ),
    "try": (
        ("hmp-bridge try --topic hmp/room/boardroom/press/record --payload true", "a press"),
        (
            'hmp-bridge try --topic shelly/events/rpc --payload-file "$HOME/message.json"',
            "which of the [[bindings]] takes it, and why the others do not",
        ),
        (
            f"hmp-bridge try --topic hmp/server/main/request/stopRecording --payload '[\"{_ID}\"]'",
            "a command by name",
        ),
        ("hmp-bridge try --topic hmp/bridge/request/log_level --payload debug", "one to us"),
    ),
    "send": (
        (f"hmp-bridge send main getRecordingStatus {_ID}", "how a recording is"),
        ("hmp-bridge send main createSession 'He said \"hi\"'", "quoted for HMP by the bridge"),
    ),
    "clean": (
        ("hmp-bridge clean --dry-run", "what would be emptied"),
        ("systemctl stop hmp-bridge && hmp-bridge clean", "as the user of the service"),
    ),
    "yield": (("hmp-bridge yield", "on any box, before the one that leads is taken down"),),
    "completion": (
        ('eval "$(hmp-bridge completion bash)"', "in this shell"),
        (f"hmp-bridge completion bash > {_FOLDER}/hmp-bridge", "in every bash from now on"),
        ("hmp-bridge completion zsh > ~/.zfunc/_hmp-bridge", "a folder of your fpath"),
        (
            "hmp-bridge completion fish > ~/.config/fish/completions/hmp-bridge.fish",
            "in every fish from now on",
        ),
    ),
    "man": (
        ("hmp-bridge man | man -l -", "to read it"),
        ("hmp-bridge man > /usr/local/share/man/man1/hmp-bridge.1", "for man hmp-bridge"),
    ),
    "example-config": (
        ("hmp-bridge example-config > bridge.toml", "to begin with"),
        ("hmp-bridge example-config mosquitto/mosquitto.conf", "a broker with roles"),
        ("hmp-bridge example-config examples/zoom.toml", "bindings for a maker"),
    ),
    "unit": (
        ("hmp-bridge unit > /etc/systemd/system/hmp-bridge.service", "one bridge"),
        ("hmp-bridge unit hmp-bridge@.service", "several"),
    ),
}

_USAGE = (ExitCode.USAGE, "the command line is wrong")
_CONFIGURATION = (ExitCode.CONFIGURATION, "the configuration is wrong, or there is none")
_OUTPUT = (ExitCode.OUTPUT, "standard output cannot be written")
_INTERNAL = (ExitCode.INTERNAL, "a bug: report what is printed")

EXIT_CODES: dict[str, tuple[tuple[int, str], ...]] = {
    "": (
        (ExitCode.OK, "done"),
        (ExitCode.REFUSED, "HMP refused it; try: nothing would come of the message"),
        _USAGE,
        (ExitCode.UNAVAILABLE, "something that is needed is out of reach, or taken"),
        _INTERNAL,
        _OUTPUT,
        (ExitCode.UNKNOWN_OUTCOME, "sent, and never answered: it may have been carried out"),
        (ExitCode.NOT_AUTHORIZED, "HMP or the broker does not let this box or this user"),
        _CONFIGURATION,
        (130, "ended by Ctrl-C before it was done"),
        (141, "whoever read its output went away"),
    ),
    "run": (
        (ExitCode.OK, "told to end (SIGTERM, Ctrl-C)"),
        _USAGE,
        (
            ExitCode.UNAVAILABLE,
            (
                "another bridge has the state folder, base topic or client id; the state folder "
                "cannot be used; too few file descriptors"
            ),
        ),
        _INTERNAL,
        _CONFIGURATION,
    ),
    "demo": (
        (ExitCode.OK, "ended by Ctrl-C"),
        _USAGE,
        (ExitCode.UNAVAILABLE, "the demo's broker is not installed, or does not start"),
        _OUTPUT,
        (ExitCode.CONFIGURATION, "a variable of the environment sets what is wrong"),
    ),
    "simulate": (
        (ExitCode.OK, "ended by Ctrl-C"),
        (ExitCode.USAGE, "the command line is wrong, or a fault or knob is"),
        (ExitCode.UNAVAILABLE, "the port cannot be listened on"),
        _OUTPUT,
        (ExitCode.CONFIGURATION, "the file of --world is wrong, or there is none"),
    ),
    "check": (
        (ExitCode.OK, "all is well; warnings and notes are no failures"),
        _USAGE,
        (ExitCode.UNAVAILABLE, "--live: something cannot be reached or used"),
        _OUTPUT,
        (ExitCode.NOT_AUTHORIZED, "--live: HMP or the broker does not let this box"),
        (ExitCode.CONFIGURATION, "the configuration is wrong, or names what is not there"),
    ),
    "watch": ((ExitCode.OK, "left, by q or Ctrl-C"), _USAGE, _OUTPUT, _CONFIGURATION),
    "schema": ((ExitCode.OK, "printed"), _USAGE, _OUTPUT),
    "asyncapi": ((ExitCode.OK, "printed"), _USAGE, _OUTPUT, _CONFIGURATION),
    "openapi": ((ExitCode.OK, "printed"), _USAGE, _OUTPUT, _CONFIGURATION),
    "topics": (
        (ExitCode.OK, "printed"),
        (ExitCode.USAGE, "the command line is wrong, or there is no such room"),
        _OUTPUT,
        _CONFIGURATION,
    ),
    "try": (
        (ExitCode.OK, "something would come of the message"),
        (ExitCode.NOTHING, "nothing would; what is printed says why"),
        (ExitCode.USAGE, "the command line is wrong, or the file of the payload"),
        _OUTPUT,
        _CONFIGURATION,
    ),
    "send": (
        (ExitCode.OK, "HMP did it; what it answered is printed"),
        (ExitCode.REFUSED, "HMP refused it; its code is printed, and what to do"),
        (ExitCode.USAGE, "no such server or command, or a parameter is wrong; nothing was sent"),
        (ExitCode.UNAVAILABLE, "HMP is out of reach; nothing was sent"),
        _OUTPUT,
        (ExitCode.UNKNOWN_OUTCOME, "sent, and never answered: it may have been carried out"),
        (ExitCode.NOT_AUTHORIZED, "HMP does not know this box"),
        _CONFIGURATION,
        (130, "Ctrl-C while HMP took its time"),
    ),
    "clean": (
        (ExitCode.OK, "emptied, or nothing was there"),
        _USAGE,
        (
            ExitCode.UNAVAILABLE,
            "a bridge is online, or has the state folder; the broker is out of reach",
        ),
        _OUTPUT,
        _CONFIGURATION,
    ),
    "yield": (
        (ExitCode.OK, "another box leads; which is printed"),
        (ExitCode.REFUSED, "the box that leads stays: no other one is ready"),
        _USAGE,
        (ExitCode.UNAVAILABLE, "no box answers, or the broker is out of reach"),
        _OUTPUT,
        _CONFIGURATION,
    ),
    "completion": ((ExitCode.OK, "printed"), _USAGE, _OUTPUT),
    "man": ((ExitCode.OK, "printed"), _USAGE, _OUTPUT),
    "example-config": (
        (ExitCode.OK, "printed"),
        (ExitCode.USAGE, "the command line is wrong, or there is no such file"),
        _OUTPUT,
    ),
    "unit": (
        (ExitCode.OK, "printed"),
        (ExitCode.USAGE, "the command line is wrong, or there is no such file"),
        _OUTPUT,
    ),
}
"""The exit codes of each command, and of all of them; in the order of the numbers."""

_PLACES = (
    (
        "configuration",
        f"the first of: --config FILE, ${FILE_VARIABLE}, {', '.join(map(str, USUAL_FILES))}",
    ),
    (
        "one key",
        (
            "the first of: --set mqtt.host=broker, $HMP_BRIDGE_MQTT__HOST, the file mqtt__host in "
            "$CREDENTIALS_DIRECTORY, the configuration"
        ),
    ),
    (
        "state folder",
        (
            "the first of: bridge.state_dir, $STATE_DIRECTORY (under systemd /var/lib/hmp-bridge), "
            "$XDG_STATE_HOME/hmp-bridge, ~/.local/state/hmp-bridge"
        ),
    ),
    ("log", "standard error; under systemd: journalctl -u hmp-bridge"),
)
_PLACES_OF = dict.fromkeys(("", "run", "check", "clean"), _PLACES) | dict.fromkeys(
    ("watch", "asyncapi", "openapi", "topics", "try", "send", "yield"), _PLACES[:2]
)


def sections_of(command: str) -> Iterator[Section]:
    """The sections about a command, or, of no name, about all of them."""
    yield Section("examples", _EXAMPLES[command])
    codes = tuple((str(int(code)), meaning) for code, meaning in EXIT_CODES[command])
    yield Section("exit codes", codes)
    if command in _PLACES_OF:
        yield Section("places", _PLACES_OF[command])
