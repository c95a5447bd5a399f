"""
An Elasticsearch of small limits, and a role that lacks an index: nothing is lost.
"""

from collections.abc import Mapping
from pathlib import Path

from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from engines import Elasticsearch
from engines.elasticsearch import VERSION
from engines.process import Setting
from tests.engines.oracle import ask, check, committed, dead_places, headers_of, read_topic
from tests.engines.producing import create_topics, numbered, produce
from tests.engines.running import Setup, SinkProcess
from tests.waiting import wait_until

_LIMITS: Mapping[str, Setting] = {
    "http.max_content_length": "1mb",
    "indexing_pressure.memory.limit": "2mb",
    "node.processors": 1,
    "thread_pool.write.queue_size": 2,
}
_GIANT = 1_200_000  # bytes: more than the node takes in a request


def _allow(setup: Setup, *names: str) -> None:
    indices = [{"names": list(names), "privileges": ["create_doc", "auto_configure", "manage"]}]
    role = {"cluster": ["monitor", "manage_index_templates"], "indices": indices}
    ask(setup, "PUT", "/_security/role/sink", role)


def _topic_of_giants(setup: Setup, user_topic: str) -> None:
    admin = AdminClient({"bootstrap.servers": setup.kafka.bootstrap_servers})
    config = {"max.message.bytes": "3000000"}
    for future in admin.create_topics(
        [NewTopic(setup.topic(user_topic), 1, 1, config=config)]
    ).values():
        future.result(20)


def test_small_limits_a_giant_and_a_missing_privilege_lose_nothing(
    setup: Setup, tmp_path: Path
) -> None:
    node = Elasticsearch(
        tmp_path / "small",
        version=VERSION,
        heap="512m",
        fast_start=True,
        security=True,
        settings=_LIMITS,
    )
    with node:
        setup.elasticsearch = node
        _allow(setup, f"{setup.name}-a_*")
        ask(setup, "PUT", "/_security/user/sink", {"password": "for-tests", "roles": ["sink"]})
        # A node without room may not answer at all.
        setup.settings["elasticsearch"] = 'basic_auth = "sink:for-tests"\nrequest_timeout_ms = 5000'
        setup.settings["bulk"] = "bytes_max = 3_000_000"
        create_topics(setup, {"b": 1})
        _topic_of_giants(setup, "a")
        a, b = setup.topic("a"), setup.topic("b")
        produce(setup, "a", numbered(0, 4000))
        giant = b'{"logtime":1795252441945,"n":4000,"msg":"%b"}' % (b"x" * _GIANT)
        produce(setup, "a", [giant], partition=0)
        produce(setup, "a", numbered(4001, 4000))
        produce(setup, "b", numbered(10_000, 300))
        with SinkProcess(setup) as sink:
            wait_until(lambda: committed(setup, [a])[a, 0] == 8001, 60, "the topic with the giant")
            (parked,) = wait_until(lambda: sink.get("/parked")[1], 20, "the index to be parked")
            assert parked["error_type"] == "security_exception"
            assert committed(setup, [b]) == {(b, 0): 0}
            assert dead_places(setup) == {(a, 0, 4000)}
            assert len(sink.events("bulks are too large, smaller ones are sent")) <= 3

            _allow(setup, f"{setup.name}-*")
            wait_until(lambda: committed(setup, [b])[b, 0] == 300, 60, "the index to be allowed")
            assert sink.terminate() == 0
        (letter,) = read_topic(setup, [setup.dead_letter_topic])
        assert headers_of(letter)["sink.error_type"] == "status_413"
        assert letter.value() == giant
        assert check(setup, ["a", "b"]) == 8301
