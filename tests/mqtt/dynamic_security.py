"""mosquitto's plugin that refuses subscriptions; with an ACL file it grants them all."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

__all__ = ["Rights", "may_only"]


@dataclass(frozen=True, slots=True)
class Rights:
    """`lines` for mosquitto.conf."""

    lines: tuple[str, ...]


def may_only(folder: Path, *filters: str) -> Rights:
    """Rights of everybody to subscribe: these filters alone. A broker reads them as it starts."""
    found = sorted(Path("/usr/lib").glob("**/mosquitto_dynamic_security.so"))
    if not found:
        pytest.skip("needs mosquitto's dynamic security plugin")
    acls = [
        {"acltype": "subscribePattern", "topic": each, "priority": 0, "allow": True}
        for each in filters
    ]
    everything = dict.fromkeys(("publishClientSend", "publishClientReceive", "unsubscribe"), True)
    rights = folder / "dynamic-security.json"
    rights.write_text(
        json.dumps(
            {
                "defaultACLAccess": everything | {"subscribe": False},
                "clients": [],
                "groups": [{"groupname": "all", "roles": [{"rolename": "all", "priority": 0}]}],
                "roles": [{"rolename": "all", "acls": acls}],
                "anonymousGroup": "all",
            }
        )
    )
    return Rights((f"plugin {found[0]}", f"plugin_opt_config_file {rights}"))
