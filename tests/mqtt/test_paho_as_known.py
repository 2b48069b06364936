"""paho as `bridge/mqtt/paho_client.py` knows it: nothing that it has to do with has changed.

What fails here is to be read before that release of paho is let in.
"""

import ast
import hashlib
import inspect

import pytest
from paho.mqtt import _packet
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from bridge.mqtt import paho_client
from bridge.mqtt.paho_client import PahoClient

USED = {
    # Overridden.
    "_create_socket": {"3043436f2eb2"},
    "_handle_pubackcomp": {"04d39ba283b1"},
    "_handle_suback": {"e0af796b6ca0"},
    "_packet_queue": {"e298fa9ab31e"},
    "_packet_write": {"d097b7b51bed"},
    "_send_puback": {"bb015cefb632"},
    "loop_read": {"4fa11ca2d451"},
    "want_write": {"dc5eaf22e9d3"},
    # Called.
    "_call_socket_register_write": {"bb825cf9532d"},
    "_loop_rc_handle": {"ee5ad3b78494"},
    "_mid_generate": {"55fc1e4a5f15"},
    "_packet_handle": {"ac4c129ed409"},
    "_raise_for_invalid_topic": {"985dad9e15a6"},
    "_sock_recv": {"c3b9043a46dd"},
    "_sock_send": {"300d9f1031bd"},
    "_ssl_wrap_socket": {"a71513b1452d"},
}
"""Digests by the name of what is overridden or called: one for each form in a release let in."""

BESIDE = {
    # Not called any more: what was copied of them must stay what they do.
    "_do_on_publish": {"5bbcad6f9447"},
    "_handle_on_message": {"8ccc46fdb090"},
    "_handle_publish": {"1bbaa3ef0e3a"},
    "_handle_unsuback": {"bfc8145b07a6"},
    "_packet_read": {"bbe32d8af1e3"},
    "_send_publish": {"4edd21dd50f5"},
    "_update_inflight": {"d11feb21cf85"},
    "publish": {"5c00cd3dcebc"},
    # These call what is overridden, or look at what it leaves behind.
    "_call_socket_unregister_write": {"0759a544e634"},
    "_check_keepalive": {"162b7cd2a4d5"},
    "_handle_connack": {"39267140212c"},
    "_send_command_with_mid": {"1a771678b66d"},
    "ack": {"92f83b7a84a4"},
    "loop_misc": {"e9c8f0e45281"},
    "loop_write": {"57c360e5ae74"},
}
"""The same, of what paho does beside ours."""

DECODERS = {
    "_decode_mid_reason_prop": {"c001ca9750a1"},
    "decode_puback": {"d4c48976c255"},
    "decode_publish": {"50c158487fa3"},
    "decode_suback": {"3aadc815f5a6"},
    "decode_unsuback": {"2e1f0e5d87e3"},
}
"""The same, of how paho reads what `packets` reads too."""

ADVICE = """

paho's {name} is not what bridge/mqtt/paho_client.py was written for; its digest is {digest}.
Read what has changed, in both releases of paho/mqtt:

    diff <(python -c 'import inspect, paho.mqtt.client as c; print(inspect.getsource(c))') OLD

Let bridge/mqtt/paho_client.py and bridge/mqtt/packets.py do as paho does where it matters, see that
tests/mqtt/test_paho_client.py passes with both releases, and put the digest beside the one that is
here; once the lower bound in pyproject.toml is raised, take the old one away."""


def digest(function: object) -> str:
    source = inspect.getsource(function)  # type: ignore[arg-type]
    return hashlib.sha256(source.encode()).hexdigest()[:12]


@pytest.mark.parametrize("name", USED | BESIDE)
def test_what_is_overridden_is_what_it_was(name: str) -> None:
    found = digest(inspect.getattr_static(Client, name))
    assert found in (USED | BESIDE)[name], ADVICE.format(name=f"Client.{name}", digest=found)


@pytest.mark.parametrize("name", DECODERS)
def test_packets_are_read_as_they_were(name: str) -> None:
    found = digest(inspect.unwrap(getattr(_packet, name)))
    assert found in DECODERS[name], ADVICE.format(name=name, digest=found)


def attributes() -> set[str]:
    """Names of all attributes in the file, of ours and of theirs."""
    tree = ast.parse(inspect.getsource(paho_client))
    return {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


def test_every_method_of_paho_that_the_file_has_to_do_with_is_watched() -> None:
    overridden = {name for name in vars(PahoClient) if inspect.isfunction(getattr(Client, name, 0))}
    called = {
        name
        for name in attributes()
        if name.startswith("_") and inspect.isfunction(getattr(Client, name, None))
    }
    assert (overridden | called) - {"__init__"} == USED.keys()


def test_every_attribute_that_the_file_has_to_do_with_is_paho_s_or_ours() -> None:
    client = PahoClient(CallbackAPIVersion.VERSION2)
    private = {name for name in attributes() if name.startswith("_")}
    theirs_or_ours = {*dir(client), *dir(MQTTMessage)}
    assert private - theirs_or_ours == set()
    theirs = vars(Client(CallbackAPIVersion.VERSION2))
    ours = {"_mqtt5", "_incoming", "_answered", "_received", "has_received", "unread"}
    ours |= {"_unsent", "_posted", "_nothing"}
    assert vars(client).keys() - theirs.keys() == ours
