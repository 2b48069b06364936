"""The command ``clean``: leave the broker as if this bridge had never been there."""

import argparse

from ..text.output import put, say
from .options import ExitCode, leaves, load_configuration

__all__ = ["clean"]


def clean(options: argparse.Namespace) -> int:
    """`clean`: the topics that are emptied, or would be, one a line."""
    import trio

    from ..daemon.clean import CannotClean, clean_brokers
    from ..daemon.opened_journal import opened_journal
    from ..daemon.owned import NOTE, read_note
    from ..journal.instance import StateFolderError, claim_state_folder, client_id, state_folder
    from ..journal.store import JournalUnusable, StoreFailure
    from ..logs.log import configure_logs
    from ..mqtt.failures import BrokerFailure
    from ..process.name_service import name_service

    configuration = load_configuration(options)
    configure_logs("error")
    folder = state_folder(configuration.bridge.state_dir)
    shared = configuration.etcd(configuration.box)
    base, part = configuration.mqtt.base_topic, configuration.topics.part
    emptied, failed = [], []

    def tell(topic: str) -> None:
        emptied.append(topic)
        put(f"{'would empty' if options.dry_run else 'emptied'} {topic}")

    async def leave(own: str) -> None:
        async with name_service(), opened_journal(shared, folder, own) as (instance, journal):
            note = read_note(journal.note(NOTE), base, part)
            if not (note.owned.everything or note.before):
                return
            settings = configuration.broker(client_id(instance, base))
            how = {"instance": instance, "dry_run": options.dry_run, "tell": tell}
            await clean_brokers(settings, note, **how, boxes=shared is not None)
            if not options.dry_run:
                await journal.save_note(NOTE, "")

    try:
        with claim_state_folder(folder) as instance:
            try:
                trio.run(leave, instance)
            except* (BrokerFailure, CannotClean, JournalUnusable, StoreFailure) as group:
                failed += [str(error) for error in leaves(group)]
    except StateFolderError as error:
        failed.append(str(error))
    for reason in failed:
        say(reason)
    if failed:
        return ExitCode.UNAVAILABLE
    if not emptied:
        where = folder if shared is None else shared.where
        put(f"nothing of this bridge ({where}) is on the broker")
    return ExitCode.OK
