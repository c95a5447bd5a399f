"""
What a topic of letters takes is its own to say, also while the sink runs.
"""

from random import Random

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource
from confluent_kafka.admin._resource import ResourceType
from confluent_kafka.cimpl import NewTopic

from sink.config import Config
from sink.core.dead_letter import STUB_BYTES, DeadLetter
from sink.edge.kafka.dead_letters import DeadLetters
from sink.errors import Unavailable
from sink.testing import FakeRecord
from tests.engines.oracle import headers_of, read_topic
from tests.engines.running import Setup, SinkProcess

_LIMIT = 100_000


def _letter(offset: int, size_bytes: int) -> DeadLetter:
    # At random: the topic's limit is of the compressed batch.
    record = FakeRecord("ekk-a", 0, offset, Random(offset).randbytes(size_bytes))
    return DeadLetter(record, "index", "document_parsing_exception", "because")


def test_a_letter_too_large_becomes_a_stub_until_its_topic_takes_more(setup: Setup) -> None:
    topic = f"{setup.name}-letters"
    admin = AdminClient({"bootstrap.servers": setup.kafka.bootstrap_servers})
    config = {"max.message.bytes": str(_LIMIT)}
    for future in admin.create_topics([NewTopic(topic, 1, 1, config=config)]).values():
        future.result(20)
    settings = Config.model_validate(
        {
            "kafka": {"bootstrap_servers": setup.kafka.bootstrap_servers},
            "routes": [{"name": "ekk", "prefix": "ekk-", "index": {"prefix": "sag-"}}],
        }
    )
    dead = DeadLetters(settings, topic, _LIMIT, {}, stubs=True)
    wide = FakeRecord("ekk-a", 0, 1002, b"v", headers=[("h", Random(1).randbytes(300_000))])
    dead.write([DeadLetter(wide, "index", "document_parsing_exception", "because")])
    parked = DeadLetters(settings, topic, _LIMIT, {}, stubs=False)
    # More than the topic takes in one batch, each of them small; and a giant among them.
    small = [_letter(n, 2000) for n in range(200)]
    dead.write([*small[:100], _letter(1000, 300_000), *small[100:]])
    with pytest.raises(Unavailable, match=r"max\.message\.bytes"):
        parked.write([_letter(1001, 300_000)])

    raised = ConfigEntry(
        "max.message.bytes", "1000000", incremental_operation=AlterConfigOpType.SET
    )
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[raised])
    for future in admin.incremental_alter_configs([resource]).values():
        future.result(20)
    parked.write([_letter(1001, 300_000)])
    dead.close()
    parked.close()

    values = {
        int(headers_of(message)["sink.offset"]): len(message.value() or b"")
        for message in read_topic(setup, [topic])
    }
    odd = {1000: STUB_BYTES, 1001: 300_000, 1002: 1}
    assert values == dict.fromkeys(range(200), 2000) | odd


def test_the_topics_of_letters_delete_nothing_whatever_the_brokers_would_do(setup: Setup) -> None:
    """
    What is parked has been committed: deleted there, it is nowhere.
    """
    with SinkProcess(setup) as sink:
        sink.until_ready()
        assert sink.terminate() == 0
    admin = AdminClient({"bootstrap.servers": setup.kafka.bootstrap_servers})
    for topic in (setup.dead_letter_topic, setup.parked_topic):
        (future,) = admin.describe_configs([ConfigResource(ResourceType.TOPIC, topic)]).values()
        told = {name: entry.value for name, entry in future.result(20).items()}
        wanted = {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}
        assert {name: told[name] for name in wanted} == wanted
        assert {name for name in wanted if future.result()[name].is_default} == set()
