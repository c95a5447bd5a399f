"""
The memory bound that is told at the start, held where records carry far more than their values.
"""

from sink.core.record import Headers
from tests.engines.oracle import check, committed
from tests.engines.producing import create_topics, numbered, produce
from tests.engines.running import Setup, SinkProcess
from tests.engines.sick import AT_MS, index_of, settle_index
from tests.waiting import wait_until

# Little is held by settings, so that what is not reckoned with is seen.
_KAFKA = "queued_kbytes = 1024\npoll_bytes_max = 1000000\ncompression_ratio_max = 1"
_BULK = "bytes_max = 1000000\nqueue_slots = 1\nin_flight = 1"
_AT_ONCE = "[park]\nbytes_max = 0\nms_max = 0\n"
_TRACE: Headers = [(f"x-trace-{number:02}", b"t" * 32) for number in range(30)]
_RECORDS = 15_000


def test_a_long_parked_topic_of_records_with_many_headers_is_read_again_within_the_bound(
    setup: Setup,
) -> None:
    """
    A parked record has 44 headers. Polls of 5,000 would take some 50 MB a thread, bulks as much.
    """
    setup.settings |= {"kafka": _KAFKA, "bulk": _BULK, "more": _AT_ONCE}
    create_topics(setup, {"a": 4})
    produce(setup, "a", numbered(0, 1), timestamp=AT_MS)
    topic, index = setup.topic("a"), index_of(setup, "a")
    with SinkProcess(setup) as sink:
        wait_until(lambda: _settled(setup, topic) == 1, 40, "the first document")
        settle_index(setup, index, **{"blocks.write": True})
        produce(setup, "a", numbered(1, _RECORDS), timestamp=AT_MS, headers=_TRACE)
        wait_until(lambda: _settled(setup, topic) == _RECORDS + 1, 90, "all to be parked")
        settle_index(setup, index, **{"blocks.write": None})
        again = setup.parked_topic
        wait_until(lambda: _settled(setup, again) >= _RECORDS, 90, "what was parked")
        (starting,) = sink.events("starting")
        assert sink.rss_mib("VmHWM") < 1.1 * starting["memory_bound_mib"]
        assert sink.terminate() == 0
    assert check(setup, ["a"]) == _RECORDS + 1


def _settled(setup: Setup, topic: str) -> int:
    return sum(committed(setup, [topic]).values())
