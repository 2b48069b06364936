"""The table of a journal on etcd: what is made of it, and what is said of it."""

from pathlib import Path

import pytest

from bridge.cluster.settings import EtcdSettings, prefix_of
from bridge.logs.redaction import SECRETS
from bridge.tls.settings import TlsSettings
from tests.brokers import Certificates

from .conftest import Check
from .files import GOOD, complaints, loaded


def with_journal(keys: str) -> str:
    return f"[bridge.journal]\n{keys}\n{GOOD}"


def test_without_it_the_journal_is_a_file(folder: Path) -> None:
    assert loaded(folder).etcd("box") is None


def test_what_is_made_of_it(folder: Path) -> None:
    text = with_journal(
        'etcd = ["https://etcd1", "https://[::1]:2380/"]\nca = "ca.pem"\nusername = "bridge"\n'
        'password = "hunter2-hunter2"\nttl = "8s"'
    )
    assert loaded(folder, text).etcd("left") == EtcdSettings(
        endpoints=("https://etcd1:2379", "https://[::1]:2380"),
        prefix="hmp-bridge/hmp/*/",
        box="left",
        ttl=8.0,
        tls=TlsSettings(ca="ca.pem"),
        username="bridge",
        password="hunter2-hunter2",
    )
    assert SECRETS.hide("said hunter2-hunter2") == "said (hidden)"


def test_what_is_secret_is_neither_shown_nor_part_of_the_digest(folder: Path) -> None:
    one, other = (
        loaded(
            folder,
            with_journal(
                f'etcd = "https://etcd1"\nusername = "u"\npassword = "hunter{number}-hunter"'
            ),
        )
        for number in (1, 2)
    )
    assert one.digest == other.digest
    assert "hunter" not in one.model_dump_json()
    assert "hunter" not in repr(one.etcd("left"))


def test_each_base_topic_and_share_of_the_servers_has_keys_of_its_own() -> None:
    """None begins with another, whatever is in a topic."""
    prefixes = [
        prefix_of(topic, part)
        for topic, part in [("hmp", ""), ("hmp", "a,b"), ("hmp/a,b", ""), ("hmp/*", ""), ("h", "")]
    ]
    assert not [
        (one, other)
        for one in prefixes
        for other in prefixes
        if one is not other and one.startswith(other)
    ]


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ('etcd = "etcd1:2379"', "[bridge.journal] etcd: 'etcd1:2379' is no address of etcd; write"),
        ('etcd = ["https://a", "ftp://b"]', "'ftp://b' is no address of etcd; write https://etcd1"),
        ('etcd = "https://u:p@a"', "is no address of etcd"),
        ('etcd = "https://a/v3"', "is no address of etcd"),
        ('etcd = "https://a:etcd"', "is no address of etcd"),
        ('etcd = "https://a:70000"', "is no address of etcd"),
        ('etcd = "https://"', "is no address of etcd"),
        ("etcd = []", "[bridge.journal] etcd: needs at least one address"),
        ('ca = "ca.pem"', "[bridge.journal] etcd: is missing"),
        ('etcd = "https://a"\nttl = "1s"', "[bridge.journal] ttl: must be "),
        ('etcd = "https://a"\npassword = "hunter2"', "[bridge.journal] username: is missing"),
        (
            'etcd = ["https://a", "http://b"]\nusername = "u"\npassword = "hunter2"',
            "[bridge.journal] etcd: http://b would have the password in plain text",
        ),
        ('etcd = "http://a"\nca = "ca.pem"', "[bridge.journal] ca: is for https://"),
    ],
)
def test_mistakes(folder: Path, keys: str, said: str) -> None:
    [complaint] = complaints(folder, with_journal(keys))
    assert said in complaint
    assert "hunter2" not in complaint


def test_on_this_box_a_password_may_go_without_tls(folder: Path) -> None:
    text = with_journal('etcd = "http://127.0.0.1:2379"\nusername = "u"\npassword = "hunter2"')
    assert loaded(folder, text).etcd("left") is not None


def test_its_password_is_no_secret_of_the_pages(folder: Path) -> None:
    journal = 'etcd = "https://a"\nusername = "u"\npassword = "hunter2-hunter2"'
    [said] = complaints(folder, f'[web]\nlisten = ":8080"\n{with_journal(journal)}')
    assert "opens the rooms to everybody" in said


def test_files_are_looked_into(check: Check, certificates: Certificates, folder: Path) -> None:
    [said] = check(with_journal('etcd = "https://a"\nca = "none.pem"'))
    assert "[bridge.journal] ca: there is no file none.pem" in said
    [said] = check(with_journal(f'etcd = "https://a"\nkey = "{certificates.key}"'))
    assert "[bridge.journal] cert: is missing; a key is used only together with" in said
