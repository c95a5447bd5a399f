"""
The contract of a collector, as a test: `check_collector(my_collector)` in your own pytest.
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import orjson

from sink.core.collect import Documents, Run, pieces
from sink.core.collector import Collector, Drop, Refused
from sink.core.record import Partition, Record
from sink.errors import Reject
from sink.testing.record import FakeRecord

_TOPIC = "check-collector"
# What turns up in topics sooner or later, whatever was agreed upon.
HOSTILE: tuple[bytes | None, ...] = (
    None,
    b"",
    b" ",
    b"\x00",
    b"\xff\xfe\x00",
    b"\xef\xbb\xbf{}",
    b"{}",
    b"[]",
    b"null",
    b"3.5",
    b'"text"',
    b"text",
    b"caf\xc3\xa9 \xe8\xae\xa2\xe5\x8d\x95",
    b'{"msg":"a"}',
    b'{\n  "msg": "on lines"\n}\r\n',
    b'{"msg":"a"}\n{"create":{}}\n',
    b'{"msg":"a","msg":"b"}',
    b'{"":1,"a.b":2,"..":3,"_id":"x"}',
    b'{"msg":"\\ud800"}',
    b'{"number":1e999}',
    b'{"number":123456789012345678901234567890}',
    b'{"cut":"in the mid',
    b'[{"msg":"a"},3,null,[],{"msg":"b"}]',
    b'{"a":' * 3000 + b"1" + b"}" * 3000,
    b"[" * 3000 + b"]" * 3000,
    b'{"msg":"' + b"x" * 100_000 + b'"}',
)
_TIMES_MS = (1_795_252_441_945, 0, None, 253_402_300_800_000)


class _Rejection(NamedTuple):
    """
    What a collector raised.
    """

    reason: str


def check_collector(
    collector: Callable[[Record], Any] | Collector, samples: Sequence[bytes] = ()
) -> None:
    """
    Hold a collector to its contract.

    It is given your samples and what turns up in topics sooner or later. Whatever the record, it
    answers with `bytes` that are one JSON object, a `dict`, a list of them, `Drop` or None, or
    raises `Reject`; twice the same; and it does not change the record. None of your samples may be
    rejected: that is what `Reject` is for, and no sample of what should be indexed.

    Args:
        collector: A function of a record.
        samples: Values of records as your producers write them. Each must give documents, or None.
    Raises:
        AssertionError: With the value, and what is wrong.
    """
    mine = collector if isinstance(collector, Collector) else Collector("checked", collector)
    for value in samples:
        made = _checked(mine, _record(value, _TIMES_MS[0]))
        assert not made.rejected, f"a sample is refused: {made.rejected[0].reason}; {_shown(value)}"
    for record in _hostile(samples):
        _checked(mine, record)


def _hostile(samples: Sequence[bytes]) -> Iterator[FakeRecord]:
    for value in (*HOSTILE, *(value[: len(value) // 2] for value in samples)):
        yield _record(value, _TIMES_MS[0])
    for time_ms in _TIMES_MS:
        yield _record(b'{"msg":"a"}', time_ms)
    headers: list[Any] = [("a", None), ("a", b"\xff"), ("", b"")]
    yield FakeRecord(_TOPIC, 0, 0, b'{"msg":"a"}', key=b"\xff", headers=headers)


def _record(value: bytes | None, time_ms: int | None) -> FakeRecord:
    return FakeRecord(_TOPIC, 0, 0, value, timestamp_ms=time_ms)


def _checked(collector: Collector, record: FakeRecord) -> Documents:
    """
    Check one record, and give what becomes of it.
    """
    shown, before = _shown(record.value()), _state(record)
    first, second = _asked(collector, record, shown), _asked(collector, record, shown)
    assert _state(record) == before, f"the record was changed; {shown}"
    assert first == second, f"two calls give two answers: {first!r}, {second!r}; {shown}"
    unexplained = isinstance(first, _Rejection) and not first.reason.strip()
    assert not unexplained, f"Reject without a reason: nobody could mend it; {shown}"
    # As the sink does it: what is left must be whole lines of NDJSON.
    run = Run(Partition(_TOPIC, 0), [record], 0, 1)
    ((_, made),) = pieces(run, collector, 10**9)
    for source in made.sources:
        assert b"\n" not in source, f"a document spans lines; {shown}"
    kinds = {each.error_type for each in made.rejected}
    assert kinds <= {"reject", "not_an_object"}, f"{made.rejected[0].reason}; {shown}"
    return made


def _asked(collector: Collector, record: Record, shown: str) -> Any:
    """
    Call a collector; a rejection is an answer as well.
    """
    try:
        answer = collector.collect(record)
    except Reject as reject:
        return _Rejection(str(reject))
    except (Exception, SystemExit) as failure:
        raise AssertionError(
            f"{type(failure).__name__}: {failure}; {shown}. The sink dead-letters such a record "
            "with its traceback; raise Reject with a sentence for whoever reads the dead letter"
        ) from failure
    _check_answer(answer, shown)
    return copy.deepcopy(answer)


def _check_answer(answer: Any, shown: str) -> None:
    kinds = (bytes, dict, Refused) if isinstance(answer, list) else (bytes, dict, Drop)
    for each in answer if isinstance(answer, list) else [answer]:
        fits = isinstance(each, kinds) or each is answer is None
        assert fits, f"{type(each).__name__} is no answer of a collector: {each!r:.80}; {shown}"
        if isinstance(each, dict):
            _check_dict(each, shown)


def _check_dict(document: dict[Any, Any], shown: str) -> None:
    try:
        orjson.dumps(document)
    except TypeError as failure:
        raise AssertionError(f"a document that is no JSON: {failure}; {shown}") from failure


def _shown(value: bytes | None) -> str:
    return f"the value was {value!r:.80}"


def _state(record: FakeRecord) -> tuple[object, ...]:
    return (record.value(), record.key(), copy.deepcopy(record.headers()), record.timestamp())
