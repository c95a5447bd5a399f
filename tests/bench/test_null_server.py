"""
The null Elasticsearch tells documents apart by what they carry.
"""

import json
import time
import urllib.request
from pathlib import Path

import pytest

from bench.null_server import NullElasticsearch, build

_ACTION = '{"create":{"_index":"logs"}}\n'


@pytest.fixture(scope="module")
def program() -> Path:
    return build()


def _bulk(server: NullElasticsearch, *documents: str) -> list[int]:
    """
    Send documents, and give the status of each.
    """
    body = "".join(f"{_ACTION}{each}\n" for each in documents).encode()
    request = urllib.request.Request(
        f"http://{server.address}/_bulk", body, {"Content-Type": "application/x-ndjson"}
    )
    with urllib.request.urlopen(request) as answer:
        items = json.load(answer)["items"]
    return [item["create"]["status"] for item in items]


def test_a_number_that_comes_twice_counts_once(program: Path, tmp_path: Path) -> None:
    with NullElasticsearch(program, tmp_path / "log", marked=True) as server:
        _bulk(server, '{"number":"1"}', '{"number":"2","msg":"x"}')
        _bulk(server, '{"msg":"x","number":"2"}')
        counted = server.counted()

    assert (counted["docs"], counted["distinct"]) == (3, 2)


def test_refused_numbers_are_refused_each_time(program: Path, tmp_path: Path) -> None:
    with NullElasticsearch(program, tmp_path / "log", marked=True, refuse=10) as server:
        assert _bulk(server, '{"number":"9"}', '{"number":"10"}') == [201, 400]
        assert _bulk(server, '{"number":"10"}', '{"number":"20"}') == [400, 400]
        counted = server.counted()

    assert (counted["distinct"], counted["refused"], counted["rejected"]) == (1, 2, 3)


def test_the_delay_is_counted_from_when_a_document_was_due(program: Path, tmp_path: Path) -> None:
    with NullElasticsearch(program, tmp_path / "log", marked=True) as server:
        hour_ago = time.time_ns() - 3_600_000_000_000
        _bulk(server, f'{{"due_ns":"{hour_ago}"}}', '{"msg":"carries no time"}')
        delays = server.delays()
        again = server.delays()

    assert delays["documents"] == 1
    assert delays["p50_ms"] >= 3_600_000
    assert again["documents"] == 0
