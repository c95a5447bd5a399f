"""
Whether a topic of letters keeps what is written there: it is committed, and may be nowhere else.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

_FOREVER = "-1"


class Departure(NamedTuple):
    """
    A setting of a topic by which the brokers delete more than they should.
    """

    topic: str
    setting: str
    value: str
    wanted: str

    def __str__(self) -> str:
        return f"{self.setting} of {self.topic} is {self.value}, not {self.wanted}"


def keeping(retention_ms: int) -> dict[str, str]:
    """
    Give the settings of a topic that keeps its records. Others would be the brokers' defaults.

    Args:
        retention_ms: How long; -1 until a person deletes them.
    """
    return {
        "cleanup.policy": "delete",
        "retention.ms": str(retention_ms),
        "retention.bytes": _FOREVER,
    }


def departures(topic: str, told: Mapping[str, str], wanted: Mapping[str, str]) -> list[Departure]:
    """
    Compare the settings of a topic. Keeping longer than wanted is no departure.

    Args:
        told: By the brokers, all that are in force.
    """
    return [
        Departure(topic, setting, told[setting], value)
        for setting, value in wanted.items()
        if not _keeps(told[setting], value)
    ]


def mending(bootstrap_servers: str, topic: str, found: Iterable[Departure]) -> str:
    """
    Give the command that sets what is wanted.
    """
    settings = ",".join(f"{each.setting}={each.wanted}" for each in found)
    return (
        f"kafka-configs.sh --bootstrap-server {bootstrap_servers} --alter --entity-type topics "
        f"--entity-name {topic} --add-config {settings}"
    )


def _keeps(told: str, wanted: str) -> bool:
    if told in {wanted, _FOREVER}:
        return True
    return told.isdecimal() and wanted.isdecimal() and int(told) >= int(wanted)
