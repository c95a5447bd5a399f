"""
`check_collector` accepts what the sink can take, and finds each way in which one goes wrong.
"""

import itertools
import json
import sys
from typing import Any

import pytest

from sink.collectors import COLLECTORS
from sink.core.collector import Drop, Refused
from sink.core.record import Record
from sink.errors import Reject
from sink.testing import check_collector


def _text(record: Record) -> str:
    value = record.value()
    return value.decode(errors="replace") if isinstance(value, bytes) else value or ""


@pytest.mark.parametrize("name", [*COLLECTORS])
def test_the_collectors_of_the_sink_keep_the_contract(name: str) -> None:
    check_collector(COLLECTORS[name])


@pytest.mark.parametrize(
    "answer",
    [
        None,
        Drop("mine"),
        {"a": 1},
        b'{"a":1}',
        b'{\n"a":1}',
        [{"a": 1}, b'{"a":2}', Refused("no")],
        [],
    ],
)
def test_every_answer_that_the_sink_takes_passes(answer: Any) -> None:
    check_collector(lambda _: answer)


def test_what_cannot_be_read_may_be_rejected_but_no_sample() -> None:
    def collect(record: Record) -> dict[str, object]:
        try:
            found = json.loads(_text(record))
        except (ValueError, RecursionError) as error:
            raise Reject(f"no JSON: {error}") from error
        if not isinstance(found, dict):
            raise Reject("no object")
        return {"found": str(found)[:100]}

    check_collector(collect, [b'{"a":1}'])
    with pytest.raises(
        AssertionError, match=r"a sample is refused: no object; the value was b'\[1\]'"
    ):
        check_collector(collect, [b"[1]"])


def _spoils_the_headers(record: Record) -> dict[str, object]:
    (record.headers() or []).append(("mine", b"1"))
    return {"a": 1}


def _rejects(_: Record) -> dict[str, object]:
    raise Reject("")


_COUNT = itertools.count()


@pytest.mark.parametrize(
    ("collector", "told"),
    [
        (lambda record: {"a": json.loads(_text(record))}, "JSONDecodeError: .*raise Reject"),
        (lambda _: {"n": next(_COUNT)}, "two calls give two answers"),
        (lambda _: "text", "str is no answer of a collector"),
        (lambda _: ({"a": 1},), "tuple is no answer"),
        (lambda _: [None], "NoneType is no answer"),
        (lambda _: {"a": {1, 2}}, "a document that is no JSON: .*set"),
        (lambda record: record.value() or {"a": 1}, "not one JSON object"),
        (_spoils_the_headers, "the record was changed"),
        (lambda _: iter([{"a": 1}]), "list_iterator is no answer"),
        (lambda _: sys.exit(1), "SystemExit: 1"),
        (_rejects, "Reject without a reason"),
    ],
)
def test_what_goes_wrong_is_told_with_the_value(collector: Any, told: str) -> None:
    with pytest.raises(AssertionError, match=f"(?s){told}"):
        check_collector(collector, [b"text"])
