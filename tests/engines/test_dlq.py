"""
`sink dlq` on the real engines: dead letters of a real run are listed, shown and replayed.
"""

import signal
import subprocess

from tests.engines.commanding import command, move
from tests.engines.oracle import ask, check, committed, documents, indexed_numbers, read_topic
from tests.engines.producing import create_topics, numbered, produce
from tests.engines.running import SINK, Setup
from tests.waiting import wait_until

_PARSING = "document_parsing_exception"


def _dead_letters(setup: Setup) -> None:
    """
    Let a sink dead-letter a record, one element of an array, and one element that is no object.
    """
    create_topics(setup, {"a": 1})
    produce(setup, "a", numbered(0, 5))
    produce(setup, "a", [b'{"logtime":"garbage","n":5}'], key=b"k\xff", headers=[("trace", b"t1")])
    produce(setup, "a", [b'[{"logtime":"rubbish","n":6},{"n":7}]', b'[1,{"n":8}]'])
    move(setup, 10)


def _mend(setup: Setup) -> None:
    """
    Let the index take documents whose logtime is no time.
    """
    ((index, told),) = ask(setup, "GET", f"/{setup.name}-a_*/_mapping").items()
    logtime = told["mappings"]["properties"]["logtime"] | {"ignore_malformed": True}
    ask(setup, "PUT", f"/{index}/_mapping", {"properties": {"logtime": logtime}})


def test_dead_letters_are_listed_by_error_index_and_topic(setup: Setup) -> None:
    _dead_letters(setup)

    listed = command(setup, "dlq", "list", "--json").json()

    groups = {group["error_type"]: group for group in listed["groups"]}
    assert {name: group["documents"] for name, group in groups.items()} == {
        _PARSING: 2,
        "not_an_object": 1,
    }
    parsing = groups[_PARSING]
    assert parsing["topic"] == setup.topic("a")
    assert parsing["index"] == next(hit["_index"] for hit in documents(setup))
    assert "2026-11" <= parsing["first_seen"] <= parsing["last_seen"]
    assert groups["not_an_object"]["index"] is None

    chosen = command(setup, "dlq", "list", "--json", "--error", "not_*").json()["groups"]
    assert [group["error_type"] for group in chosen] == ["not_an_object"]
    for nothing in (["--topic", "x"], ["--index", "x*"], ["--to", "2020-01-01T00:00:00Z"]):
        assert command(setup, "dlq", "list", "--json", *nothing).json()["groups"] == []
    table = command(setup, "dlq", "list").out
    assert table.splitlines()[1].split()[:4] == [
        _PARSING,
        parsing["index"],
        setup.topic("a"),
        "2",
    ]


def test_a_dead_letter_is_shown_decoded_by_its_place_and_by_its_record(setup: Setup) -> None:
    _dead_letters(setup)
    record = f"{setup.topic('a')}/0/5"

    (letter,) = command(setup, "dlq", "show", "--json", "--record", record).json()

    assert (letter["topic"], letter["partition"], letter["offset"]) == (setup.topic("a"), 0, 5)
    assert letter["value"] == '{"logtime":"garbage","n":5}'
    assert letter["key_base64"] == "a/8="
    assert letter["headers"] == [{"name": "trace", "value": "t1"}]
    assert "logtime" in letter["reason"] and letter["stage"] == "index"
    assert letter["id"].endswith("-0-0-5")
    assert command(setup, "dlq", "show", letter["place"], "--json").json() == letter
    said = command(setup, "dlq", "show", letter["place"]).out
    assert '{"logtime":"garbage","n":5}' in said and letter["reason"][:60] in said

    nowhere = command(setup, "dlq", "show", "0:4711")
    assert (nowhere.code, nowhere.out) == (2, "")
    assert "has no record at 0:4711" in nowhere.err
    assert command(setup, "dlq", "show", "--record", f"{setup.topic('a')}/0/0").code == 2


def test_a_replay_indexes_what_was_mended_and_a_second_changes_nothing(setup: Setup) -> None:
    _dead_letters(setup)
    before = committed(setup, [setup.topic("a")])

    refused = command(setup, "dlq", "replay", "--json")
    assert refused.code == 1
    assert refused.json()["fates"] == {"refused": 3}
    errors = {(each["error_type"], each["documents"]) for each in refused.json()["refused"]}
    assert errors == {(_PARSING, 2), ("not_an_object", 1)}
    assert indexed_numbers(setup).keys() == {0, 1, 2, 3, 4, 7, 8}

    _mend(setup)
    done = command(setup, "dlq", "replay", "--json", "--error", _PARSING)
    assert (done.code, done.json()["fates"]) == (0, {"indexed": 2}), done
    assert set(indexed_numbers(setup)) == set(range(9))
    # The id of the topic, 22 characters, may hold the separator.
    assert {hit["_id"][22:] for hit in documents(setup)} >= {"-0-0-5", "-0-0-6-0"}

    again = command(setup, "dlq", "replay", "--error", _PARSING)
    assert again.code == 0
    assert again.out.split() == ["FATE", "DOCUMENTS", "duplicate", "2"]
    assert committed(setup, [setup.topic("a")]) == before
    assert check(setup, ["a"]) == 8


def test_a_dry_run_tells_what_would_be_sent_where_and_writes_nothing(setup: Setup) -> None:
    _dead_letters(setup)
    _mend(setup)
    letters = len(read_topic(setup, [setup.dead_letter_topic]))

    dry = command(setup, "dlq", "replay", "--dry-run", "--json")

    index = next(hit["_index"] for hit in documents(setup))
    assert dry.json()["would_be_sent"] == [
        {"error_type": _PARSING, "topic": setup.topic("a"), "index": index, "documents": 2}
    ]
    assert dry.code == 1  # for the element that is no object
    assert indexed_numbers(setup).keys() == {0, 1, 2, 3, 4, 7, 8}
    assert len(read_topic(setup, [setup.dead_letter_topic])) == letters


def test_who_replayed_what_is_kept_beside_the_letters(setup: Setup) -> None:
    _dead_letters(setup)
    _mend(setup)
    command(setup, "dlq", "replay", "--error", _PARSING)

    listed = command(setup, "dlq", "list", "--json").json()

    began, done = listed["operations"]
    assert [began["event"], done["event"]] == ["began", "done"]
    assert began["run"] == done["run"]
    assert (done["command"], done["arguments"]) == ("dlq replay", {"error": _PARSING})
    assert done["result"] == {"indexed": 2}
    assert "@" in done["by"]
    assert sum(group["documents"] for group in listed["groups"]) == 3  # it is no dead letter


def test_ctrl_c_ends_a_replay_that_waits_and_what_was_done_is_told(setup: Setup) -> None:
    """
    A blocked index is waited for; Ctrl-C must not have to be pressed twice, nor take long.
    """
    _dead_letters(setup)
    _mend(setup)
    index = next(hit["_index"] for hit in documents(setup))
    ask(setup, "PUT", f"/{index}/_settings", {"index.blocks.write": True})
    words = [str(SINK), "dlq", "replay", "-c", str(setup.write())]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None and process.stdout is not None
        line = b""
        while b"waiting for Elasticsearch" not in line:
            line = process.stderr.readline()
            assert line, "it ended before it waited"
        process.send_signal(signal.SIGINT)
        wait_until(lambda: process.poll() is not None, 20, "the end after Ctrl-C")
        assert process.returncode == 130
        assert b"not complete" in process.stdout.read()
    events = [
        each["event"] for each in command(setup, "dlq", "list", "--json").json()["operations"]
    ]
    assert events == ["began", "interrupted"]

    given_up = command(setup, "dlq", "replay", "--json", "--give-up-after", "1")
    assert given_up.code == 1
    assert given_up.json()["fates"]["refused"] == 3
    ask(setup, "PUT", f"/{index}/_settings", {"index.blocks.write": None})
    assert command(setup, "dlq", "replay", "--error", _PARSING).code == 0
    assert check(setup, ["a"]) == 8
