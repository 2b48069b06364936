"""Reason codes as brokers send them, also where MQTT 5 does not list them. Pure."""

import functools

from paho.mqtt.reasoncodes import ReasonCode

__all__ = ["UnlistedReason", "is_listed", "reason_of"]


class UnlistedReason(ReasonCode):
    """A reason code that MQTT 5 does not list for the packet in which it came.

    mosquitto answers a message that is too long for it with PUBACK 0x95, which the standard has for
    CONNACK and DISCONNECT. The name is the one that the code has elsewhere.
    """

    def getName(self) -> str:  # noqa: N802 - paho's
        """The code's name; a number for one that has none."""
        return next(iter(self.names.get(self.value, ())), f"reason code 0x{self.value:02x}")


def is_listed(packet_type: int, code: int) -> bool:
    """True for a reason code that the standard has for packets of this type (MQTT 5, 2.4)."""
    return any(packet_type in packets for packets in ReasonCode.names.get(code, {}).values())


@functools.cache
def reason_of(packet_type: int, code: int) -> ReasonCode:
    """The reason code of a packet; paho searches for its name each time it makes one."""
    kind = ReasonCode if is_listed(packet_type, code) else UnlistedReason
    return kind(packet_type, identifier=code)
