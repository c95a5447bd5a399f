"""
Values that break parsers, or the lines of a bulk.
"""

import json
from random import Random

from tests.engines.brokering import until_committed
from tests.engines.oracle import documents
from tests.engines.producing import create_topics, numbered, produce
from tests.faults.ids import account, records_by_id
from tests.faults.scenario import scenario
from tests.faults.stage import PATIENCE_S, Stage

_POISONS = 4_000


def _bytes(random: Random) -> bytes:
    """
    Make bytes that no parser takes for JSON.
    """
    return b"\xff" + random.randbytes(random.randint(1, 2_000))


def _deep(random: Random) -> bytes:
    opening, closing = random.choice([(b'{"a":', b"}"), (b"[", b"]")])
    return opening * 10_000 + b"1" + closing * 10_000


def _cut(random: Random) -> bytes:
    whole = json.dumps({"level": "INFO", "msg": "x" * random.randint(1, 300), "o": {"a": [1, 2]}})
    return whole[: random.randint(1, len(whole) - 1)].encode()


def _not_utf_8(random: Random) -> bytes:
    return b'{"msg":"%s"}' % bytes(random.choices(range(0x80, 0x100), k=random.randint(1, 50)))


def _nul(random: Random) -> bytes:
    nul = random.choice([b"\x00", b"\\u0000"])
    return b'{"msg":"a%sb","k%s":%d}' % (nul, nul, random.randint(0, 9))


def _too_large_number(random: Random) -> bytes:
    number = random.choice([b"1e400", b"-1e400", b"1e-400", b"9" * 400, b"NaN", b"Infinity"])
    return b'{"%s":%s}' % (random.choice([b"value", b"logtime"]), number)


def _duplicate_keys(random: Random) -> bytes:
    key = random.choice([b"level", b"msg", b"other"])
    return b'{"%s":"a","%s":"b"}' % (key, key)


def _framing(random: Random) -> bytes:
    """
    Make what would break the lines of a bulk, or be an action of its own.
    """
    return random.choice(
        [
            b'{"a":\n1}',
            b'{"a":1}\r\n',
            b'{"delete":{"_index":"*","_id":"1"}}',
            b'{"_id":"x","_index":"y"}',
            b'{"msg":"\xe2\x80\xa8\xc2\x85"}',
            b'\xef\xbb\xbf{"msg":"byte order mark"}',
            b'{"msg":"\\ud800"}',
            b'{"\\ud800":1}',
            b'{"logtime":"\\ud800"}',
            b'{"":1}',
            b'{".":1}',
            b'{"a..b":1}',
            b"{",
            b"null",
            b"true",
            b"12",
            b'"text"',
        ]
    )


_KINDS = [_bytes, _cut, _not_utf_8, _nul, _too_large_number, _duplicate_keys, _framing]


@scenario(
    "27",
    "poison among good records: random bytes, cut JSON, no UTF-8, NUL, 1e400, a key twice, "
    "depth 10,000",
    "the process lives on; each is indexed or dead-lettered as the bytes it was",
)
def poison(stage: Stage) -> None:
    setup = stage.setup()
    random = stage.random
    values = [random.choice(_KINDS)(random) for _ in range(_POISONS)]
    values += [_deep(random) for _ in range(20)] + numbered(0, _POISONS)
    random.shuffle(values)
    create_topics(setup, {"a": 3})
    produce(setup, "a", values)
    sink = stage.sink(setup)
    until_committed(setup, "a", len(values), PATIENCE_S)
    assert "consumer broke" not in sink.log()
    assert sink.terminate() == 0
    found = account(setup, ["a"])
    assert stage.hold(found) == len(values)
    assert not found.indexed.keys() & found.letters.keys()
    records = records_by_id(setup, ["a"])
    for name, letter in found.letters.items():
        assert letter.value() == records[name].value()
    numbers = {hit["_source"].get("n") for hit in documents(setup)}
    assert numbers >= set(range(_POISONS))
    stage.note(f"of {_POISONS + 20:,} bad ones {len(found.letters):,} dead-lettered")
