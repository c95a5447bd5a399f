"""
What producers send: values that no index takes, that hold nothing, or that hold many documents.
"""

import json
from collections import Counter

from tests.engines.brokering import committed_of, until_committed
from tests.engines.oracle import ask, dead_places, documents, headers_of
from tests.engines.producing import create_topics, numbered, produce
from tests.engines.running import Setup
from tests.faults.ids import Accounts, account, records_by_id
from tests.faults.scenario import scenario
from tests.faults.stage import PATIENCE_S, Stage
from tests.waiting import wait_until

_NO_DATE = b'{"logtime":"no date","n":%d}'
# After kill -9 the group waits for the old member as long as that.
_QUICK_SESSIONS = "client = { 'session.timeout.ms' = 6000, 'heartbeat.interval.ms' = 500 }"


@scenario(
    "10",
    "a few documents among thousands do not fit the mapping",
    "all others are indexed; each bad one is dead-lettered with its place and the reason",
    quick=True,
)
def documents_that_do_not_fit(stage: Stage) -> None:
    setup = stage.setup()
    count = 5_000
    bad = set(stage.random.sample(range(count), stage.random.randint(1, 20)))
    values = [
        _NO_DATE % number if number in bad else good
        for number, good in enumerate(numbered(0, count))
    ]
    create_topics(setup, {"a": 2})
    produce(setup, "a", values)
    sink = stage.sink(setup)
    until_committed(setup, "a", count, PATIENCE_S)
    assert sink.terminate() == 0
    found = account(setup, ["a"])
    assert stage.hold(found) == count
    assert len(found.indexed) == count - len(bad)
    assert _dead_numbers(found) == bad
    records = records_by_id(setup, ["a"])
    for name, letter in found.letters.items():
        told, record = headers_of(letter), records[name]
        places = (told["sink.topic"], int(told["sink.partition"]), int(told["sink.offset"]))
        assert places == (record.topic(), record.partition(), record.offset())
        assert told["sink.error_type"] == "document_parsing_exception"
        assert "logtime" in told["sink.reason"]
        assert letter.value() == record.value()
    stage.note(f"{len(bad)} of {count:,} dead-lettered")


def _dead_numbers(found: Accounts) -> set[int]:
    return {json.loads(letter.value() or b"")["n"] for letter in found.letters.values()}


@scenario(
    "28",
    "records without a value, without a key, with an empty value",
    "the offset passes them, and the ledger names those that give no document",
)
def empty_values(stage: Stage) -> None:
    setup = stage.setup()
    random = stage.random
    create_topics(setup, {"a": 1})
    kinds: Counter[str] = Counter()
    good = iter(numbered(0, 3_000))
    for _ in range(60):  # runs of a kind, so that some polls give no document at all
        kind = random.choice(["null", "empty", "good", "good without a key"])
        size = random.randint(1, 50)
        kinds[kind] += size
        value = {"null": None, "empty": b""}
        values = [value[kind] if kind in value else next(good) for _ in range(size)]
        produce(setup, "a", values, key=None if kind == "good without a key" else b"key")
    sink = stage.sink(setup)
    until_committed(setup, "a", sum(kinds.values()), PATIENCE_S)
    produce(setup, "a", [None, b""])  # nothing before or behind them moves the offset
    until_committed(setup, "a", sum(kinds.values()) + 2, PATIENCE_S)
    ledger = sink.fates(setup.topic("a"), consumed=sum(kinds.values()) + 2)
    assert ledger["dropped:tombstone"] == kinds["null"] + 1
    assert ledger["dropped:empty"] == kinds["empty"] + 1
    assert sink.terminate() == 0
    found = account(setup, ["a"], lambda message: None if message.value() else 0)
    assert stage.hold(found) == sum(kinds.values()) + 2
    assert not found.letters


@scenario(
    "29",
    "JSON arrays of n documents with one bad element each; the sink is killed once (kill -9)",
    "n-1 are indexed, one is dead-lettered, and the offset waits for all of them",
)
def arrays_with_one_bad_element(stage: Stage) -> None:
    setup = stage.setup(bulk="docs_max = 100")
    setup.settings["kafka"] = _QUICK_SESSIONS
    random = stage.random
    arrays, sizes, bad = [], [], []
    for _ in range(400):
        size = random.randint(2, 200)
        elements = [b'{"msg":"element %d"}' % each for each in range(size)]
        place = random.randrange(size)
        elements[place] = random.choice([b"1", b'"text"', b"null", b"[]", b'{"logtime":"no"}'])
        arrays.append(b"[%s]" % b",".join(elements))
        sizes.append(size)
        bad.append(place)
    create_topics(setup, {"a": 1})
    produce(setup, "a", arrays)
    sink = stage.sink(setup)
    some = random.randint(1, len(arrays) // 2)
    wait_until(lambda: sum(committed_of(setup, "a").values()) >= some, 40, "some to be committed")
    sink.kill()
    left = account(setup, ["a"], lambda message: sizes[message.offset() or 0])
    assert not left.too_far, left.said()
    sink = stage.sink(setup)
    until_committed(setup, "a", len(arrays), PATIENCE_S)
    assert sink.terminate() == 0
    found = account(setup, ["a"], lambda message: sizes[message.offset() or 0])
    assert stage.hold(found) == len(arrays)
    assert len(found.indexed) == sum(sizes) - len(arrays)
    places = {tuple(map(int, name.split("-")[-2:])) for name in found.letters}
    assert places == set(enumerate(bad))
    stage.note(f"{sum(sizes):,} documents")


@scenario(
    "32",
    "10,000 fields that no mapping knows",
    "every document is kept as it is; the index' mapping stays within its budget",
)
def ten_thousand_fields(stage: Stage) -> None:
    setup = stage.setup()
    count, each = 500, 20
    fields = [f"field_{stage.random.randrange(10**6)}_{n}" for n in range(count * each)]
    values = [
        json.dumps({"n": n, **dict.fromkeys(fields[n * each : (n + 1) * each], n)}).encode()
        for n in range(count)
    ]
    create_topics(setup, {"a": 2})
    produce(setup, "a", values)
    sink = stage.sink(setup)
    until_committed(setup, "a", count, PATIENCE_S)
    assert sink.terminate() == 0
    hits = documents(setup)
    (index,) = {hit["_index"] for hit in hits}
    wanted = {json.dumps(json.loads(value), sort_keys=True) for value in values}
    found = [{k: v for k, v in hit["_source"].items() if k != "@timestamp"} for hit in hits]
    assert {json.dumps(source, sort_keys=True) for source in found} == wanted
    mapping = ask(setup, "GET", f"/{index}/_mapping")[index]["mappings"]["properties"]
    settings = ask(setup, "GET", f"/{index}/_settings")[index]["settings"]["index"]
    limit = int(settings["mapping"]["total_fields"]["limit"])
    assert len(mapping) <= limit
    assert dead_places(setup) == set()
    assert stage.judge(setup, ["a"]) == count
    stage.note(f"{len(fields):,} new fields, {len(mapping)} mapped, at most {limit}")


@scenario(
    "33",
    "a field is text in one document and an object in the next; others change their type at will",
    "each document is found by that field, as text and as an object; none is lost",
)
def fields_of_changing_type(stage: Stage) -> None:
    setup = stage.setup()
    count, random = 4_000, stage.random
    kinds: list[object] = [{"code": 5}, 7, 1.5, True, [1, "a"], [{"code": "x"}], None, {}, "text"]
    fields = [
        {"n": n, "field": random.choice(["text", {"code": 5}]), "any": random.choice(kinds)}
        for n in range(count)
    ]
    create_topics(setup, {"a": 2})
    produce(setup, "a", [json.dumps(each).encode() for each in fields])
    sink = stage.sink(setup)
    until_committed(setup, "a", count, PATIENCE_S)
    assert sink.terminate() == 0
    assert stage.judge(setup, ["a"]) == count
    dead = len(dead_places(setup))
    texts = sum(each["field"] == "text" for each in fields)
    found = (_count(setup, {"field": "text"}), _count(setup, {"field.code": 5}))
    assert found[0] <= texts and found[1] <= count - texts
    assert sum(found) == count - dead
    stage.note(f"{count - dead:,} indexed, {dead:,} dead-lettered")


def _count(setup: Setup, match: dict[str, object]) -> int:
    answer = ask(setup, "POST", f"/{setup.name}-*/_count", {"query": {"match": match}})
    return int(answer["count"])
