"""Secrets, cookies, and who guesses."""

from hypothesis import given
from hypothesis import strategies as st

from bridge.web.access import COOKIE, Access, Grant, Pass, Role
from bridge.web.guesses import Guesses

KEY = bytes(32)
SECRETS = [
    ("operate-all", Grant(None, Role.OPERATE)),
    ("look-all", Grant(None, Role.LOOK)),
    ("boardroom-1", Grant("boardroom", Role.OPERATE)),
    ("boardroom-2", Grant("boardroom", Role.LOOK)),
    ("shared-one", Grant("boardroom", Role.LOOK)),
    ("shared-one", Grant("lobby", Role.OPERATE)),
]
ACCESS = Access(SECRETS, KEY)


def roles(found: Pass | None) -> tuple[Role | None, Role | None, Role | None]:
    """In the board room, in the lobby, everywhere."""
    assert found is not None
    return found.role("boardroom"), found.role("lobby"), found.everywhere


def test_each_secret_opens_what_it_is_for() -> None:
    look, operate = Role.LOOK, Role.OPERATE
    assert roles(ACCESS.by_secret("operate-all")) == (operate, operate, operate)
    assert roles(ACCESS.by_secret("look-all")) == (look, look, look)
    assert roles(ACCESS.by_secret("boardroom-1")) == (operate, None, None)
    assert roles(ACCESS.by_secret("boardroom-2")) == (look, None, None)
    assert roles(ACCESS.by_secret("shared-one")) == (look, operate, None)
    assert ACCESS.by_secret("wrong") is None
    assert ACCESS.by_secret("") is None
    assert not ACCESS.is_open
    assert roles(ACCESS.nobody) == (None, None, None)


def test_without_secrets_everybody_may() -> None:
    access = Access([], KEY)
    assert access.is_open
    assert roles(access.nobody) == (Role.OPERATE,) * 3


def test_a_cookie_stands_for_its_secret_and_says_nothing_of_it() -> None:
    name, value = ACCESS.cookie("boardroom-1")
    assert name.startswith(COOKIE)
    assert "boardroom" not in name + value
    assert ACCESS.by_cookies({name: value}) == ACCESS.by_secret("boardroom-1")
    other, its = ACCESS.cookie("look-all")
    both = ACCESS.by_cookies({"theme": "dark", name: value, other: its})
    assert roles(both) == (Role.OPERATE, Role.LOOK, Role.LOOK)
    assert ACCESS.by_cookies({name: its, other: value}) == Pass()


def test_a_cookie_outlives_a_restart_and_ends_with_its_secret_or_key() -> None:
    name, value = ACCESS.cookie("look-all")
    assert Access(SECRETS, KEY).by_cookies({name: value}).everywhere is Role.LOOK
    without = Access([each for each in SECRETS if each[0] != "look-all"], KEY)
    assert without.by_cookies({name: value}) == Pass()
    assert Access(SECRETS, bytes(31) + b"x").by_cookies({name: value}) == Pass()
    assert Access([], KEY).by_cookies({name: value}) == Pass()


@given(st.dictionaries(st.text(max_size=30), st.text(max_size=70)))
def test_no_other_cookie_opens_anything(cookies: dict[str, str]) -> None:
    names = [ACCESS.cookie(secret)[0] for secret, _ in SECRETS]
    guessed = dict(zip(names, cookies.values(), strict=False))
    assert ACCESS.by_cookies(cookies | guessed) == Pass()


def test_many_cookies_are_not_all_looked_at() -> None:
    name, value = ACCESS.cookie("look-all")
    others = {f"{COOKIE}{number}": "" for number in range(1000)}
    assert ACCESS.by_cookies({name: value, **others}) != Pass()
    assert ACCESS.by_cookies({**others, name: value}) == Pass()


def test_guesses_are_slowed_down_and_forgotten() -> None:
    guesses = Guesses()
    for _ in range(4):
        guesses.wrong("192.0.2.7", 100.0)
        assert guesses.wait("192.0.2.7", 100.0) == 0
    guesses.wrong("192.0.2.7", 100.0)
    assert guesses.wait("192.0.2.7", 100.0) == 10
    assert guesses.wait("192.0.2.7", 110.0) == 0
    assert guesses.wait("192.0.2.8", 100.0) == 0
    guesses.wrong("192.0.2.7", 110.0)
    assert guesses.wait("192.0.2.7", 110.0) == 10
    assert guesses.wait("192.0.2.7", 1000.0) == 0


def test_a_network_of_ipv6_is_one_address() -> None:
    guesses = Guesses()
    for number in range(5):
        guesses.wrong(f"2001:db8::{number + 1}", 0.0)
    assert guesses.wait("2001:db8::ffff", 0.0) > 0
    assert guesses.wait("2001:db8:0:1::1", 0.0) == 0
    for _ in range(5):
        guesses.wrong("::ffff:192.0.2.7", 0.0)
    assert guesses.wait("::ffff:192.0.2.8", 0.0) == 0


def test_guesses_of_any_number_of_addresses_take_bounded_memory() -> None:
    guesses = Guesses()
    for number in range(20_000):
        guesses.wrong(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", 0.0)
    assert len(guesses) <= 5000
