"""
Where and with what something was measured.
"""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import TypedDict

import confluent_kafka

from engines.kafka import VERSION as KAFKA_VERSION


class Machine(TypedDict):
    """
    Where it was measured.
    """

    processor: str
    cores: int
    memory_gib: float


def machine() -> Machine:
    """
    Tell where we are.
    """
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Machine(
        processor=_processor(), cores=os.cpu_count() or 1, memory_gib=round(memory / 2**30, 1)
    )


def _processor() -> str:
    # Source: proc(5), /proc/cpuinfo. Not every architecture names its model there.
    for each in Path("/proc/cpuinfo").read_text().splitlines():
        key, _, value = each.partition(":")
        if key.strip() == "model name":
            return value.strip()
    return platform.machine()


def versions() -> dict[str, str]:
    """
    Tell the versions of what takes part.
    """
    go = subprocess.run(["go", "env", "GOVERSION"], capture_output=True, text=True, check=True)
    return {
        "sink": version("ekk-sink"),
        "Python": platform.python_version(),
        "confluent-kafka": version("confluent-kafka"),
        "librdkafka": confluent_kafka.libversion()[0],
        "elasticsearch": version("elasticsearch"),
        "Kafka": KAFKA_VERSION,
        "Go": go.stdout.strip().removeprefix("go"),
        "Linux": platform.release(),
    }
