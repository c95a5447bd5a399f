"""
The null Elasticsearch of the bench: what it answers and what it counts.
"""

import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.null_server import NullElasticsearch, build
from sink.core.outcome import Outcome, all_created, judge_items

_BODY = b"".join(
    b'{"create":{"_index":"%b","_id":"%d"}}\n{}\n' % (index, number)
    for number, index in enumerate([b"bench-users_1", b"bench-audit_1", b"bench-audit-log_1"])
)
_PATH = "/_bulk?filter_path=errors,items.*.status,items.*.error,items.*.failure_store"


@pytest.fixture(scope="module")
def program() -> Path:
    return build()


@contextmanager
def _server(program: Path, folder: Path, *, block: bool) -> Iterator[NullElasticsearch]:
    log = folder / "log"
    with NullElasticsearch(program, log, strict=True, apart="bench-audit_", block=block) as server:
        yield server


def _bulk(server: NullElasticsearch) -> bytes:
    with urllib.request.urlopen(f"http://{server.address}{_PATH}", _BODY) as answer:
        said: bytes = answer.read()
    return said


def test_a_blocked_index_refuses_its_documents_as_a_write_block_does_and_no_others(
    program: Path, tmp_path: Path
) -> None:
    with _server(program, tmp_path, block=True) as server:
        verdicts = judge_items(_bulk(server), 3)
        counted = server.counted()

    assert verdicts is not None
    assert [verdict.outcome for verdict in verdicts] == [
        Outcome.INDEXED,
        Outcome.PARK,
        Outcome.INDEXED,
    ]
    assert verdicts[1].error_type == "cluster_block_exception"
    assert (counted["docs"], counted["apart"], counted["blocked"]) == (2, 0, 1)


def test_an_index_that_is_only_counted_apart_takes_its_documents(
    program: Path, tmp_path: Path
) -> None:
    with _server(program, tmp_path, block=False) as server:
        answer = _bulk(server)
        counted = server.counted()

    assert all_created(answer, 3)
    assert (counted["docs"], counted["apart"], counted["blocked"]) == (2, 1, 0)
