"""
Configuration files of any text: refused with a reason, or fit for the first record.
"""

import os
import tempfile
from pathlib import Path
from unittest.mock import patch

from fuzz.bodies import check_ids, check_index
from fuzz.carrying import carry
from sink.config import Config, load
from sink.core.destination import destination
from sink.edge.kafka.admin import NO_TOPIC_ID
from sink.errors import ConfigError
from sink.reading.targets import Targets
from sink.routes import routes_of
from sink.testing import FakeRecord

_TIMES_MS = (None, 0, 951_782_400_000, 1_793_491_200_000, 253_402_300_799_999, 2**63 - 1)
_TOPIC_IDS = (NO_TOPIC_ID, "vLyfh7CfRX6NyCEoDNvR4A")
_LONG = "a" * 249
_FIRST_OFFSET = 10**15  # an id is as long as it may get

# Settings of this machine are none of an input's.
_ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.upper().startswith("SINK__")}


def one(data: bytes) -> None:
    """
    Hold that a configuration is refused as such, or works.
    """
    with tempfile.NamedTemporaryFile(suffix=".toml") as file:
        file.write(data)
        file.flush()
        try:
            with patch.dict(os.environ, _ENVIRONMENT, clear=True):
                config = load(Path(file.name))
            routes = routes_of(config)
        except ConfigError:
            return
    for route in routes:
        destination(route.name, route.collector.name, route.names)
    for topic in _topics(config):
        for topic_id in _TOPIC_IDS:
            _check_first_records(config, topic, topic_id)


def _topics(config: Config) -> set[str]:
    """
    Give topics that the routes take, a few of each.
    """
    named = {topic for route in config.routes for topic in (route.topics or ())[:3]}
    long = {f"{route.prefix}{_LONG}"[:249] for route in config.routes if route.prefix}
    return named | {topic for topic in long if any(r.covers(topic) for r in config.routes)}


def _check_first_records(config: Config, topic: str, topic_id: str) -> None:
    # Without topic ids it needs a namespace; a sink that has none waits for it.
    namespace = config.kafka.id_namespace or "needed"
    targets = Targets(routes_of(config), lambda topics: dict.fromkeys(topics, topic_id), namespace)
    targets.learn([topic])
    if topic not in targets:
        return  # a prefix alone
    records = [
        FakeRecord(topic, 0, offset, b'{"n":1}', timestamp_ms=time_ms)
        for offset, time_ms in enumerate(_TIMES_MS, _FIRST_OFFSET)
    ]
    carried = carry(records, targets, config.bulk.docs_max, config.bulk.bytes_max)
    for document in carried.documents:
        check_index(document.index)
    if targets[topic].route.deterministic_ids:  # type: ignore[union-attr]
        check_ids(carried.documents)
