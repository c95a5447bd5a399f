"""
The main job on the real engines: what producers send, where it is found.
"""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from confluent_kafka import Message

from tests.engines.oracle import (
    ask,
    check,
    committed,
    dead_places,
    documents,
    headers_of,
    indexed_numbers,
    read_topic,
)
from tests.engines.producing import create_topics, numbered, produce, recreate_topic
from tests.engines.running import QUICK, Setup, SinkProcess
from tests.waiting import wait_until

_RECORDS = Path(__file__).parents[1] / "fixtures" / "records"


def _settled(sink: SinkProcess, documents: int) -> bool:
    topics = sink.ledger().values()
    return sum(t["consumed"] - t["in_flight"] for t in topics) >= documents


def test_each_kind_of_value_is_indexed_dead_lettered_or_dropped(setup: Setup) -> None:
    """
    Every sample of a real producer, and the hostile ones, has exactly one fate.
    """
    create_topics(setup, {"order.service": 3})
    samples = sorted(path for path in _RECORDS.iterdir() if path.suffix != ".md")
    for sample in samples:
        produce(setup, "order.service", [sample.read_bytes()], key=sample.name.encode())
    produce(setup, "order.service", [None], key=b"tombstone")

    with SinkProcess(setup) as sink:
        wait_until(lambda: _settled(sink, len(samples) + 1), 40, "all samples to be settled")
        ledger = sink.ledger()[setup.topic("order.service")]
        assert sink.terminate() == 0

    hits = documents(setup)
    assert len(hits) == ledger["indexed"]
    assert {hit["_index"].rpartition("_")[0] for hit in hits} == {f"{setup.name}-order_service"}
    assert ledger["dropped:tombstone"] == ledger["dropped:empty"] == 1
    # mixed-array: two elements that are no objects; dup-keys: Elasticsearch refuses the document.
    assert ledger["dead"] == 3
    by_text = {hit["_source"].get("msg"): hit for hit in hits}
    assert by_text["good 1"]["_id"].endswith("-0") and by_text["good 2"]["_id"].endswith("-2")
    assert "pretty printed over several lines" in by_text
    assert "byte order mark" in by_text
    gbk = next(hit for hit in hits if "msg_base64" in hit["_source"])
    assert "�" in gbk["_source"]["msg"]
    deleted = next(hit for hit in hits if "delete" in str(hit["_source"]))
    assert deleted["_index"] == by_text["good 1"]["_index"]  # a document, not an action


def test_ids_come_from_the_topics_id_and_a_second_reading_changes_nothing(setup: Setup) -> None:
    create_topics(setup, {"a": 2})
    produce(setup, "a", numbered(0, 500))
    with SinkProcess(setup) as sink:
        wait_until(lambda: _settled(sink, 500), 40, "500 documents")
        assert sink.terminate() == 0
    before = {hit["_id"] for hit in documents(setup)}
    assert all(len(name.rsplit("-", 3)[0]) == 22 for name in before)  # KIP-516, base64

    with SinkProcess(replace(setup, group=f"{setup.name}-again"), 1) as sink:
        wait_until(lambda: _settled(sink, 500), 40, "500 documents read again")
        ledger = sink.ledger()[setup.topic("a")]
        assert sink.terminate() == 0

    assert ledger["duplicate"] == 500
    assert {hit["_id"] for hit in documents(setup)} == before


def test_a_refused_document_is_dead_lettered_with_its_reason_and_the_rest_is_indexed(
    setup: Setup,
) -> None:
    create_topics(setup, {"a": 1})
    bad = b'{"logtime":"garbage","n":7}'
    headers = [("trace", b"abc")]
    produce(setup, "a", numbered(0, 7))
    produce(setup, "a", [bad], key=b"its key", headers=headers)
    produce(setup, "a", numbered(8, 92))
    with SinkProcess(setup) as sink:
        wait_until(lambda: _settled(sink, 100), 40, "100 documents")
        assert sink.terminate() == 0

    (letter,) = read_topic(setup, [setup.dead_letter_topic])
    told = headers_of(letter)
    assert (letter.value(), letter.key(), told["trace"]) == (bad, b"its key", "abc")
    assert told["sink.error_type"] == "document_parsing_exception"
    assert "logtime" in told["sink.reason"]
    assert told["sink.stage"] == "index"
    assert told["sink.index"] == f"{setup.name}-a_{_month(letter)}"
    assert dead_places(setup) == {(setup.topic("a"), 0, 7)}
    assert check(setup, ["a"]) == 100
    assert committed(setup, [setup.topic("a")]) == {(setup.topic("a"), 0): 100}


def test_the_index_follows_the_records_time_and_the_mapping_the_template(setup: Setup) -> None:
    create_topics(setup, {"a": 1})
    produce(setup, "a", numbered(0, 1), timestamp=1_769_904_000_000 - 1)  # 2026-01-31T23:59:59.999Z
    produce(setup, "a", numbered(1, 1), timestamp=1_769_904_000_000)  # 2026-02-01
    with SinkProcess(setup) as sink:
        wait_until(lambda: _settled(sink, 2), 40, "two documents")
        assert sink.terminate() == 0

    names = {hit["_source"]["n"]: hit["_index"] for hit in documents(setup)}
    assert names == {0: f"{setup.name}-a_2026-01-01", 1: f"{setup.name}-a_2026-02-01"}
    mapping = ask(setup, "GET", f"/{names[0]}/_mapping")[names[0]]["mappings"]
    assert mapping["properties"]["level"]["type"] == "keyword"
    assert mapping["properties"]["logtime"]["type"] == "date"


def test_a_topic_created_while_running_is_read_from_its_first_record(setup: Setup) -> None:
    setup.settings["kafka"] = QUICK
    create_topics(setup, {"a": 1})
    with SinkProcess(setup) as sink:
        sink.until_assigned(1)
        create_topics(setup, {"late": 2})
        produce(setup, "late", numbered(0, 50))
        wait_until(lambda: _settled(sink, 50), 40, "the new topic's documents")
        assert sink.terminate() == 0
    assert check(setup, ["a", "late"]) == 50


def test_a_topic_created_again_while_running_keeps_its_new_records(setup: Setup) -> None:
    """
    By its name, or by an id remembered, its new records would meet the old ids and vanish.
    """
    create_topics(setup, {"a": 1})
    produce(setup, "a", numbered(0, 50))
    with SinkProcess(setup) as sink:
        wait_until(lambda: _settled(sink, 50), 40, "the first documents")
        recreate_topic(setup, "a", 1)
        produce(setup, "a", numbered(50, 30))
        wait_until(lambda: _settled(sink, 80), 60, "the new topic's documents")
        assert sink.ledger()[setup.topic("a")]["indexed"] == 80
        assert sink.terminate() == 0
    assert set(indexed_numbers(setup)) == set(range(80))


def _month(message: Message) -> str:
    at = datetime.fromtimestamp(int(headers_of(message)["sink.timestamp"]) / 1000, UTC)
    return f"{at:%Y-%m}-01"
