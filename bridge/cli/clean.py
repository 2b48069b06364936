"""The command ``clean``: leave the broker as if this bridge had never been there."""

import argparse
from contextlib import closing

from ..text.output import put, say
from .options import ExitCode, leaves, load_configuration

__all__ = ["clean"]


def clean(options: argparse.Namespace) -> int:
    """`clean`: the topics that are emptied, or would be, one a line."""
    import trio

    from ..daemon.clean import CannotClean, clean_brokers
    from ..daemon.owned import NOTE, read_note
    from ..journal.file import FileStore
    from ..journal.instance import StateFolderError, claim_state_folder, client_id, state_folder
    from ..journal.journal import Journal
    from ..journal.store import JournalUnusable
    from ..logs.log import configure_logs
    from ..mqtt.failures import BrokerFailure
    from ..process.name_service import name_service

    configuration = load_configuration(options)
    configure_logs("error")
    folder = state_folder(configuration.bridge.state_dir)
    base, part = configuration.mqtt.base_topic, configuration.topics.part
    emptied, failed = [], []

    def tell(topic: str) -> None:
        emptied.append(topic)
        put(f"{'would empty' if options.dry_run else 'emptied'} {topic}")

    async def leave(instance: str, journal: Journal) -> None:
        note = read_note(journal.note(NOTE), base, part)
        if not (note.owned.everything or note.before):
            return
        settings = configuration.broker(client_id(instance, base))
        how = {"instance": instance, "dry_run": options.dry_run, "tell": tell}
        async with name_service():
            await clean_brokers(settings, note, **how)
        if not options.dry_run:
            await journal.save_note(NOTE, "")

    try:
        with claim_state_folder(folder) as instance, closing(Journal(FileStore(folder))) as journal:
            try:
                trio.run(leave, instance, journal)
            except* (CannotClean, BrokerFailure) as group:
                failed += [str(error) for error in leaves(group)]
    except (StateFolderError, JournalUnusable) as error:
        failed.append(str(error))
    for reason in failed:
        say(reason)
    if failed:
        return ExitCode.UNAVAILABLE
    if not emptied:
        put(f"nothing of this bridge ({folder}) is on the broker")
    return ExitCode.OK
