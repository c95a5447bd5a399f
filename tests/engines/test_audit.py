"""
`sink audit` on the real engines: it finds what is not there, and nothing else.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from sink.config import ElasticsearchSettings
from sink.edge.elastic import Elastic
from sink.edge.search import Name, Scan
from tests.engines.commanding import Ran, command, move
from tests.engines.oracle import ask, documents
from tests.engines.producing import create_topics, numbered, produce
from tests.engines.running import Setup, SinkProcess
from tests.waiting import wait_until

_URL_SAFE = str.maketrans("+/", "-_")
_HOUR_MS = 3_600_000
_NOVEMBER_MS = 1_795_252_400_000  # 2026-11-21T09:13:20Z


def _audit(setup: Setup, *words: str) -> tuple[int, list[dict[str, Any]], dict[str, int]]:
    ran = command(setup, "audit", "--topic", setup.topic("a"), "--json", *words)
    assert ran.out, ran.err
    told = ran.json()
    return ran.code, told["findings"], {k: v for k, v in told["counts"].items() if v}


def _hit(setup: Setup, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    return next(hit for hit in documents(setup) if wanted(hit))


def test_after_a_good_run_each_document_is_found_and_nothing_is_missing_or_surplus(
    setup: Setup,
) -> None:
    """
    An audit that cries over dead letters, arrays or tombstones would soon be heard by nobody.
    """
    create_topics(setup, {"a": 2, "a-0": 1})
    produce(setup, "a-0", numbered(0, 50))  # its indices match the patterns of topic a
    produce(setup, "a", numbered(0, 300))
    produce(setup, "a", [b'[{"n":1},{"n":2},{"n":3}]'] * 20)
    produce(setup, "a", [b'[{"n":4},5,{"n":6},7]', b'{"logtime":"garbage"}', b'["no"]'])
    produce(
        setup, "a", [b'[{"n":1},{"logtime":"garbage"}]', b"not JSON", None, b"", b"[]"], key=b"k"
    )
    move(setup, 50 + 300 + 60 + 4 + 2 + 2 + 4)

    assert _audit(setup, "--surplus") == (
        0,
        [],
        {
            "indexed": 300 + 60 + 2 + 1 + 1,
            "dead": 5,
            "dropped:tombstone": 1,
            "dropped:empty": 1,
            "dropped:empty_array": 1,
        },
    )


def test_the_one_document_that_was_deleted_is_named(setup: Setup) -> None:
    create_topics(setup, {"a": 2})
    produce(setup, "a", numbered(0, 200))
    produce(setup, "a", [b'[{"n":1000},{"n":1001},{"n":1002}]'])
    move(setup, 203)
    gone = _hit(setup, lambda hit: hit["_source"]["n"] == 1001)
    ask(setup, "DELETE", f"/{gone['_index']}/_doc/{gone['_id']}")

    code, findings, counts = _audit(setup)

    assert code == 1
    assert counts == {"indexed": 202, "missing": 1}
    (finding,) = findings
    _, partition, epoch, offset, position = gone["_id"].rsplit("-", 4)
    assert finding == {
        "kind": "missing",
        "topic": setup.topic("a"),
        "partition": int(partition),
        "leader_epoch": int(epoch),
        "offset": int(offset),
        "position": int(position),
        "index": gone["_index"],
        "id": gone["_id"],
    }
    assert position == "1"

    ask(setup, "DELETE", f"/{gone['_index']}")
    assert _audit(setup)[2] == {"missing": 203}
    said = command(setup, "audit", "--topic", setup.topic("a")).out.splitlines()
    assert sum(line.startswith("missing  t") for line in said) == 20
    assert "and 183 more: --all names them" in said


def test_a_surplus_document_and_one_in_two_indices_are_named(setup: Setup) -> None:
    """
    Nobody asks for an id that no record gives: only a look at all of them finds it.
    """
    create_topics(setup, {"a": 1})
    produce(setup, "a", numbered(0, 100))
    move(setup, 100)
    one = _hit(setup, lambda hit: hit["_source"]["n"] == 50)
    head = one["_id"].rsplit("-", 1)[0]
    added = f"/{one['_index']}/_doc/{one['_id']}-3?refresh=true"
    ask(setup, "PUT", added, {"n": 50})
    ask(setup, "PUT", f"/{one['_index']}/_doc/{head}-100?refresh=true", {"n": 100})  # not in range

    assert _audit(setup) == (0, [], {"indexed": 100})
    code, findings, counts = _audit(setup, "--surplus")
    assert code == 1
    assert counts == {"indexed": 100, "surplus": 1}
    (finding,) = findings
    assert (finding["kind"], finding["id"]) == ("surplus", f"{one['_id']}-3")
    assert finding["index"] == one["_index"]

    ask(setup, "DELETE", added.replace("?", "?timeout=20s&"))
    other = one["_index"][:-10] + "1999-01-01"
    ask(setup, "PUT", f"/{other}/_doc/{one['_id']}?refresh=true", {"n": 50})
    code, findings, counts = _audit(setup, "--surplus")
    assert (code, counts) == (1, {"indexed": 100, "twice": 1})
    assert [(each["kind"], each["id"]) for each in findings] == [("twice", one["_id"])]


def _topic_id(setup: Setup) -> str:
    admin = AdminClient({"bootstrap.servers": setup.kafka.bootstrap_servers})
    topic = setup.topic("a")
    (future,) = admin.describe_topics(TopicCollection([topic])).values()
    return str(future.result(20).topic_id).translate(_URL_SAFE)


def _write_letter(setup: Setup, topic: str, offset: int, stage: str) -> None:
    """
    Write an envelope as the sink does.
    """
    told = {
        "topic": setup.topic("a"),
        "topic_id": _topic_id(setup),
        "partition": 0,
        "offset": offset,
        "leader_epoch": 0,
        "timestamp": 1_795_252_441_945,
        "stage": stage,
        "error_type": "cluster_block_exception",
    }
    headers: dict[str, str | bytes | None] = {
        f"sink.{name}": str(value).encode() for name, value in told.items()
    }
    producer = Producer({"bootstrap.servers": setup.kafka.bootstrap_servers})
    producer.produce(topic, b"{}", headers=headers)
    assert producer.flush(20) == 0


def test_documents_that_are_parked_dead_or_not_due_are_not_missing(setup: Setup) -> None:
    """
    A sink that is behind, or an index that is blocked, is no loss; a committed offset is a promise.
    """
    dead, parked = setup.dead_letter_topic, f"sink-parked.{setup.group}"
    create_topics(setup, {"a": 1})
    admin = AdminClient({"bootstrap.servers": setup.kafka.bootstrap_servers})
    for future in admin.create_topics([NewTopic(name, 1, 1) for name in (dead, parked)]).values():
        future.result(20)
    produce(setup, "a", numbered(0, 10))
    assert _audit(setup) == (0, [], {"not_due": 10})

    latest = ("--to", "latest", "--yes")
    assert command(setup, "group", "seek", "--topic", setup.topic("a"), *latest).code == 0
    code, findings, counts = _audit(setup)
    assert (code, counts) == (1, {"missing": 10})
    assert [each["offset"] for each in findings] == list(range(10))

    _write_letter(setup, parked, 4, "park")
    _write_letter(setup, dead, 5, "index")
    code, findings, counts = _audit(setup)
    assert (code, counts) == (1, {"missing": 8, "dead": 1, "parked": 1})
    assert not {4, 5} & {each["offset"] for each in findings}
    assert _audit(setup, "--from", "4", "--to", "6")[0] == 0

    # What the group has committed in the parked topic must have gone somewhere.
    _commit(setup, parked, 1)
    assert _audit(setup)[2] == {"missing": 9, "dead": 1}


def test_what_was_parked_before_it_became_a_document_is_not_missing(setup: Setup) -> None:
    """
    A topic of bad records makes no more dead letters than it may: the others wait without an id.
    """
    setup.settings["more"] = "[dead_letter]\nrate_max = 2\n[park]\nms_max = 100\n"
    create_topics(setup, {"a": 2})
    produce(setup, "a", [b"[1]"] * 30)
    produce(setup, "a", [b'[{"n":1},2,{"n":3},4]'] * 5)
    with SinkProcess(setup) as sink:

        def settled() -> bool:
            told = sink.ledger().get(setup.topic("a"), {})
            return told.get("consumed") == 30 + 20 and not told["in_flight"]

        wait_until(settled, 40, "all to be dead, parked or indexed")
        assert sink.terminate() == 0

    code, findings, counts = _audit(setup)

    assert (code, findings) == (0, [])
    assert sum(counts.values()) == 50
    assert counts.keys() <= {"indexed", "dead", "parked"}
    assert counts["parked"] >= 30


def test_a_dead_letter_that_was_indexed_later_counts_as_indexed(setup: Setup) -> None:
    create_topics(setup, {"a": 1})
    produce(setup, "a", numbered(0, 5))
    move(setup, 5)
    _write_letter(setup, setup.dead_letter_topic, 2, "index")

    assert _audit(setup) == (0, [], {"indexed": 5})


def test_only_the_range_is_looked_at(setup: Setup) -> None:
    create_topics(setup, {"a": 2})
    for hour in range(3):
        at = {"partition": 0, "timestamp": _NOVEMBER_MS + hour * _HOUR_MS}
        produce(setup, "a", numbered(100 * hour, 10), **at)
    produce(setup, "a", numbered(500, 7), partition=1, timestamp=_NOVEMBER_MS)
    move(setup, 37)
    hour_one = "2026-11-21T10:00:00Z"  # the second ten came 13 minutes later

    assert _audit(setup, "--partition", "1")[2] == {"indexed": 7}
    assert _audit(setup, "--from", "3", "--to", "5")[2] == {"indexed": 4}
    assert _audit(setup, "--from", hour_one)[2] == {"indexed": 20}
    assert _audit(setup, "--to", hour_one)[2] == {"indexed": 17}


def test_documents_behind_an_alias_of_several_indices_are_found(setup: Setup) -> None:
    """
    Elasticsearch gives no document by an id and such a name: each would be unknown.
    """
    alias = f"{setup.name}-a_2026-11-01"
    create_topics(setup, {"a": 2})
    for number in (1, 2):
        actions: list[dict[str, Any]] = [
            {"add": {"index": f"{alias}-{number}", "alias": alias, "is_write_index": True}}
        ]
        if number == 2:
            only = {"index": f"{alias}-1", "alias": alias, "is_write_index": False}
            actions.insert(0, {"add": only})
        ask(setup, "PUT", f"/{alias}-{number}", {"settings": {"number_of_replicas": 0}})
        ask(setup, "POST", "/_aliases", {"actions": actions})
        produce(setup, "a", numbered(10 * number, 10), timestamp=_NOVEMBER_MS)
        move(setup, 10)
    gone = _hit(setup, lambda hit: hit["_source"]["n"] == 15)
    assert gone["_index"] == f"{alias}-1"
    ask(setup, "DELETE", f"/{alias}-1/_doc/{gone['_id']}")

    code, findings, counts = _audit(setup)

    assert (code, counts) == (1, {"indexed": 19, "missing": 1})
    assert findings[0]["id"] == gone["_id"]


def test_a_scan_reads_each_id_once_over_several_pages(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    What stands on a page that is left out would be no surplus.
    """
    for number in range(10):
        index = f"{setup.name}-{number % 3}"
        ask(setup, "PUT", f"/{index}/_doc/{number}?refresh=true", {"n": number})
    monkeypatch.setattr("sink.edge.search._IDS_MAX", 4)

    async def scanned() -> tuple[int, list[list[Name]]]:
        settings = ElasticsearchSettings(hosts=(setup.elasticsearch.url,))
        async with Elastic(settings) as elastic:
            scan = Scan(elastic, [f"{setup.name}-*", f"{setup.name}-gone"])
            await scan.open()
            pages = [await scan.page() for _ in range(4)]
            await scan.close()
            return scan.documents, pages

    documents_in_all, pages = asyncio.run(scanned())

    assert documents_in_all == 10
    assert [len(page) for page in pages] == [4, 4, 2, 0]
    assert {name for page in pages for name in page} == {
        Name(f"{setup.name}-{number % 3}", str(number)) for number in range(10)
    }


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--topic", "other"), "no route reads topic other"),
        (("--topic", "{name}-none"), "topic {name}-none is not there"),
        (("--topic", "{name}-a", "--partition", "4"), "has no partition 4"),
        (("--topic", "{name}-a", "--from", "yesterday"), "yesterday"),
    ],
)
def test_what_cannot_be_audited_is_a_usage_error(
    setup: Setup, words: tuple[str, ...], said: str
) -> None:
    create_topics(setup, {"a": 1})
    ran: Ran = command(setup, "audit", *(word.format(name=setup.name) for word in words))

    assert (ran.code, ran.out) == (2, "")
    assert said.format(name=setup.name) in ran.err


def _commit(setup: Setup, topic: str, offset: int) -> None:
    consumer = Consumer(
        {"bootstrap.servers": setup.kafka.bootstrap_servers, "group.id": setup.group}
    )
    consumer.commit(offsets=[TopicPartition(topic, 0, offset)], asynchronous=False)
    consumer.close()
