"""Every entity of a house with one HMP and all devices, as Home Assistant is to have it."""

from typing import NamedTuple

__all__ = ["ENTITIES", "Entity"]


class Entity(NamedTuple):
    """Its device class, unit and category, and whether it is enabled."""

    device_class: str | None = None
    unit: str | None = None
    category: str | None = None
    enabled: bool = True


_ID = Entity(category="diagnostic", enabled=False)

ENTITIES = {
    "switch.r0_record": Entity(),
    "switch.r0_pause": Entity(),
    "switch.r0_restream": Entity(),
    "button.r0_mark": Entity(),
    "button.r0_extend": Entity(),
    "text.r0_mark_title": Entity(),
    "event.r0_result": Entity(),
    "sensor.r0_state": Entity("enum"),
    "sensor.r0_alarm": Entity("enum"),
    "sensor.r0_title": Entity(),
    "sensor.r0_started_at": Entity("timestamp"),
    "sensor.r0_ends_at": Entity("timestamp"),
    "sensor.r0_elapsed": Entity("duration", enabled=False),
    "sensor.r0_recording_id": _ID,
    "sensor.r0_last_recording": _ID,
    "sensor.r0_session_id": _ID,
    "binary_sensor.r0_recording": Entity("running"),
    "binary_sensor.r0_problem": Entity("problem"),
    "binary_sensor.r0_link": Entity("connectivity", category="diagnostic"),
    "binary_sensor.hmp_server_main_connected": Entity("connectivity"),
    "sensor.hmp_server_main_state": Entity("enum"),
    "sensor.hmp_server_main_round_trip": Entity("duration", category="diagnostic", enabled=False),
    "binary_sensor.hmp_bridge_connected": Entity("connectivity", category="diagnostic"),
    "sensor.hmp_bridge_version": Entity(category="diagnostic"),
    "button.hmp_bridge_reload": Entity(category="config"),
    "sensor.hmp_rooms_recording": Entity(),
    "sensor.hmp_rooms_alarms": Entity(),
    "button.hmp_rooms_stop": Entity(enabled=False),
}
"""By entity id; the room is `r0`. What is disabled shows no unit."""
