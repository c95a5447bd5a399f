"""
Times that no calendar holds, months that end, and records that are read again.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.engines.brokering import create_topic, until_committed
from tests.engines.commanding import command
from tests.engines.oracle import documents
from tests.engines.producing import create_topics, numbered, produce
from tests.engines.running import Setup
from tests.faults.ids import account, records_by_id
from tests.faults.routes import second_route
from tests.faults.scenario import scenario
from tests.faults.stage import PATIENCE_S, Stage

_ANY_TIME = {
    "message_timestamp_after_max_ms": str(2**63 - 1),
    "message_timestamp_before_max_ms": str(2**63 - 1),
}
_BELIEVED_MS = 946_684_800_000, 4_070_908_800_000  # 2000-01-01 and 2099-01-01, of time_guard
_ZONES = ["Asia/Shanghai", "America/New_York", "Pacific/Chatham"]
_FEBRUARY = datetime(2026, 2, 1, tzinfo=UTC)


@scenario(
    "34",
    "record times of 1970 and 2099, in microseconds and nanoseconds, at the ends of months, in "
    "another zone; values with a time of their own or none",
    "each is in the index of its month in the route's zone or in …_undated; no other index is made",
)
def odd_times(stage: Stage) -> None:
    setup = stage.setup()
    zone = stage.random.choice(_ZONES)
    zoned = second_route(setup, "zoned", zone)
    times = _times(stage, zone)
    values = [b'{"msg":"no time"}', b'{"logtime":1000}', b'{"logtime":"2099-01-01"}', b"only text"]
    for each in (setup, zoned):
        create_topic(each, "a", 2, **_ANY_TIME)
        for time_ms in times:
            produce(each, "a", [stage.random.choice(values)], timestamp=time_ms)
    sink = stage.sink(setup)
    for each in (setup, zoned):
        until_committed(each, "a", len(times), PATIENCE_S)
    assert sink.terminate() == 0
    for each, calendar in ((setup, ZoneInfo("UTC")), (zoned, ZoneInfo(zone))):
        found = account(each, ["a"])
        assert stage.hold(found) == len(times)
        expected = {
            name: _index(each, message.timestamp()[1], calendar)
            for name, message in records_by_id(each, ["a"]).items()
        }
        assert found.indexed == expected
    stage.note(f"{len(set(expected.values()))} indices, {zone}")


def _times(stage: Stage, zone: str) -> list[int]:
    """
    Choose record times, in milliseconds since the epoch.
    """
    times = [1, 10**15, 1_795_252_441_945_000, 1_795_252_441_945_000_000, 2**62]
    for year, month in [(1970, 2), (2000, 1), (2024, 3), (2026, 2), (2026, 11), (2099, 1)]:
        for calendar in (UTC, ZoneInfo(zone)):
            start_ms = round(datetime(year, month, 1, tzinfo=calendar).timestamp() * 1000)
            times += [start_ms - 1, start_ms, start_ms + 1]
    # No more months: an index is dear to make.
    times += [stage.random.randrange(1_767_225_600_000, 1_780_000_000_000) for _ in range(200)]
    stage.random.shuffle(times)
    return times


def _index(setup: Setup, time_ms: int, calendar: ZoneInfo) -> str:
    if not _BELIEVED_MS[0] <= time_ms < _BELIEVED_MS[1]:
        return f"{setup.name}-a_undated"
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=time_ms)
    return f"{setup.name}-a_{at.astimezone(calendar):%Y-%m}-01"


@scenario(
    "35",
    "ranges are replayed twice while the sink runs, over a month change; another group reads all "
    "of it again",
    "the same documents in the same indices: none more, none elsewhere",
)
def ranges_read_again(stage: Stage) -> None:
    setup = stage.setup()
    random, count = stage.random, 3_000
    create_topics(setup, {"a": 2})
    shifts_s = sorted(random.randint(-3_000_000, 2_000_000) for _ in range(count // 100))
    for number, shift_s in enumerate(shifts_s):
        at_ms = round((_FEBRUARY + timedelta(seconds=shift_s)).timestamp() * 1000)
        produce(setup, "a", numbered(100 * number, 100), timestamp=at_ms)
    sink = stage.sink(setup)
    until_committed(setup, "a", count, PATIENCE_S)
    before = _places(setup)
    assert len({index for index, _ in before}) > 1
    words = ("replay", "--topic", setup.topic("a"), "--json")
    first, last = (_FEBRUARY + timedelta(days=days) for days in (-random.randint(1, 20), 15))
    for bounds in (
        ("--from", first.isoformat(), "--to", last.isoformat()),
        ("--from", str(random.randint(0, 500)), "--to", str(random.randint(600, 1_200))),
    ):
        for _ in range(2):
            ran = command(setup, *words, *bounds)
            assert (ran.code, [*ran.json()["fates"]]) == (0, ["duplicate"]), ran.out + ran.err
    assert sink.terminate() == 0
    assert _places(setup) == before

    again = replace(setup, group=f"{setup.group}-again")
    sink = stage.sink(again)
    until_committed(again, "a", count, PATIENCE_S)
    assert sink.fates(setup.topic("a"))["duplicate"] == count
    assert sink.terminate() == 0
    assert _places(setup) == before
    assert stage.judge(setup, ["a"]) == count


def _places(setup: Setup) -> set[tuple[str, str]]:
    return {(hit["_index"], hit["_id"]) for hit in documents(setup)}
