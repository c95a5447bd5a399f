"""
What an audit holds against each other: ids, sets of them, fates, and the indices of a topic.
"""

from typing import cast

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sink.collectors.log import LOG
from sink.config import Config
from sink.core.audit import (
    Accounts,
    Explained,
    Fate,
    Place,
    Places,
    index_patterns,
    place_of,
    places_in,
)
from sink.core.collect import Run
from sink.core.dead_letter import DeadLetter
from sink.core.destination import covers
from sink.core.envelope import open_envelope
from sink.core.record import Element, Partition, Record
from sink.core.target import Target
from sink.routes import routes_of
from sink.testing import FakeRecord
from tests.making import documents

TOPIC_ID = "Xy-_0-1-2-3456789abcde"  # the alphabet of topic ids holds the separator
NUMBERS = st.sampled_from([0, 1, 2, 1023, 1024, 2047, 2048, 2049, 2**40, 2**62]) | st.integers(
    0, 2**62
)
POSITIONS = st.none() | st.sampled_from([0, 1, 2047, 2048, 300_000])
PLACES = st.builds(Place, st.integers(0, 2), st.integers(0, 2), NUMBERS, POSITIONS)


def _target(**more: object) -> Target:
    table = {"name": "r", "prefix": "ekk-", "index": {"prefix": "sag-"}, **more}
    (route,) = routes_of(Config.model_validate({"routes": [table]}))
    return Target("ekk-order", route, TOPIC_ID)


def _id(place: Place) -> str:
    numbers = [str(number) for number in place if number is not None]
    return "-".join([TOPIC_ID, *numbers])


@pytest.mark.parametrize("value", [b"{}", b'[{"a":1},{"b":2}]'])
def test_the_ids_that_a_target_writes_are_read_back(value: bytes) -> None:
    """
    The audit would else call every document surplus, or pass over all.
    """
    record = FakeRecord("ekk-order", 3, 77, value, leader_epoch=5)
    run = Run(Partition("ekk-order", 3), cast("list[Record]", [record]), 77, 78)

    lines = _target().actions(run, documents(run, LOG)).lines

    ids = [orjson.loads(line)["create"]["_id"] for line in lines]
    positions = [None] if value == b"{}" else [0, 1]
    assert [place_of(TOPIC_ID, each) for each in ids] == [
        Place(3, 5, 77, position) for position in positions
    ]


@given(PLACES)
def test_each_place_has_an_id_of_its_own(place: Place) -> None:
    assert place_of(TOPIC_ID, _id(place)) == place


@pytest.mark.parametrize(
    "other",
    [
        "another-0-0-1",
        f"{TOPIC_ID}-b-0-0-1",  # of topic <name>-b, where a namespace and the name are the id
        f"{TOPIC_ID}-0-0",
        f"{TOPIC_ID}-0-0-01",
        f"{TOPIC_ID}-0-0-1-2-3",
        f"{TOPIC_ID}-0-0-1\n",
        f"{TOPIC_ID}-0-0-\u0661",
        "",
    ],
)
def test_an_id_that_no_target_of_the_topic_writes_is_none_of_it(other: str) -> None:
    assert place_of(TOPIC_ID, other) is None


@given(st.lists(PLACES, max_size=30), st.lists(PLACES, max_size=30))
def test_places_are_a_set(added: list[Place], asked: list[Place]) -> None:
    places = Places()
    for place in added:
        places.add(place)

    assert [place in places for place in added + asked] == [
        place in set(added) for place in added + asked
    ]


@given(st.lists(PLACES, max_size=30), st.lists(PLACES, max_size=30))
def test_a_set_of_places_takes_another_in(first: list[Place], second: list[Place]) -> None:
    one, other = _placed(*first), _placed(*second)

    one.update(other)

    assert all(place in one for place in first + second)
    assert [place in other for place in first] == [place in set(second) for place in first]


def test_a_letter_of_the_whole_record_is_for_each_of_its_documents() -> None:
    places = Places()
    places.add(Place(0, 0, 7))
    places.add(Place(0, 0, 8, 2))

    assert places.holds(Place(0, 0, 7, 5))
    assert places.holds(Place(0, 0, 8, 2))
    assert not places.holds(Place(0, 0, 8, 3))
    assert not places.holds(Place(0, 0, 8))


def _placed(*places: Place) -> Places:
    made = Places()
    for place in places:
        made.add(place)
    return made


@pytest.mark.parametrize(
    ("place", "fate"),
    [
        (Place(0, 0, 1), Fate.DEAD),
        (Place(0, 0, 2), Fate.PARKED),
        (Place(0, 0, 3), Fate.MISSING),
        (Place(0, 0, 9), Fate.MISSING),
        (Place(0, 0, 10), Fate.NOT_DUE),
        (Place(0, 0, 11), Fate.DEAD),  # its offset waits for a neighbour's
        (Place(1, 0, 0), Fate.NOT_DUE),  # the group has committed nothing in this partition
        (Place(0, 0, 4), Fate.DROPPED),
        (Place(0, 0, 5), Fate.DEAD),  # it was moved there before the rest was dropped
        (Place(0, 0, 6), Fate.PARKED),  # it was parked again since
        (Place(0, 0, 12), Fate.DROPPED),
    ],
)
def test_what_is_not_indexed_is_dead_parked_dropped_not_due_or_missing(
    place: Place, fate: Fate
) -> None:
    dead = _placed(Place(0, 0, 1), Place(0, 0, 5), Place(0, 0, 11))
    parked = _placed(Place(0, 0, 2), Place(0, 0, 6))
    dropped = _placed(*(Place(0, 0, offset) for offset in (4, 5, 6, 12)))

    assert Accounts({0: 10}, dead, parked, dropped).fate(place) is fate


def _letter(record: Record, positions: tuple[int, ...], topic_id: str) -> Record:
    letter = DeadLetter(
        record, "collect", "reject", "why", positions=positions, topic_id=topic_id
    ).headers({"version": "1"})
    return FakeRecord("sink-dlq", 0, 0, b"{}", headers=letter)


RECORD = FakeRecord("ekk-order", 3, 77, b"[1,{}]", leader_epoch=5)


@pytest.mark.parametrize(
    ("record", "positions", "topic_id", "places"),
    [
        (RECORD, (), TOPIC_ID, [Place(3, 5, 77)]),
        (RECORD, (0, 4), TOPIC_ID, [Place(3, 5, 77, 0), Place(3, 5, 77, 4)]),
        (FakeRecord("ekk-order", 0, 0, b"1", leader_epoch=0), (), TOPIC_ID, [Place(0, 0, 0)]),
        (Element(RECORD, 1, b"{}"), (1,), TOPIC_ID, [Place(3, 5, 77, 1)]),
        (RECORD, tuple(range(100_000)), TOPIC_ID, [Place(3, 5, 77)]),  # too many for a header
        (RECORD, (), "of the topic before", []),
        (FakeRecord("ekk-other", 3, 77, b"1"), (), TOPIC_ID, []),
    ],
)
def test_a_letter_tells_which_documents_it_is_for(
    record: Record, positions: tuple[int, ...], topic_id: str, places: list[Place]
) -> None:
    """
    A letter of the topic that was deleted must not excuse a record of the one created again.
    """
    envelope = open_envelope(_letter(record, positions, topic_id))

    assert places_in(envelope, "ekk-order", TOPIC_ID) == places


@given(st.lists(PLACES, max_size=20), st.lists(PLACES, max_size=20), st.integers(0, 5000))
def test_a_scan_finds_what_no_record_explains_and_what_is_there_twice(
    explained: list[Place], found: list[Place], end: int
) -> None:
    judge = Explained(TOPIC_ID, {0: (1, end), 1: (0, 2**63)})
    for place in explained:
        judge.add(_id(place))
    seen: set[Place] = set()
    for place in [*found, *found]:
        in_range = 1 <= place.offset < end if place.partition == 0 else place.partition == 1
        wrong = "surplus" if place not in explained else "twice" if place in seen else None
        expected = (wrong, place) if in_range and wrong else None
        seen.add(place)

        assert judge.judge(_id(place)) == expected


def test_a_scan_passes_over_documents_of_others() -> None:
    assert Explained(TOPIC_ID, {0: (0, 10)}).judge("their-own-id") is None


FORMS = [
    "%Y.%m.%d-{topic}",
    "logs-{topic}-%G.%V",
    "%d.%m.%Y",
    "{topic}",
    "x-%Y-%m-%d-%H-y",
    "%j-%y",
]


@pytest.mark.parametrize("zone", ["UTC", "America/Los_Angeles", "Pacific/Kiritimati"])
@pytest.mark.parametrize(
    "index",
    [{"prefix": "sag-", "period": p} for p in ("day", "week", "month")]
    + [{"name": form} for form in FORMS],
)
@given(time_ms=st.integers(-1, 4 * 10**12) | st.sampled_from([2**62]))
@example(time_ms=0)
@example(time_ms=1_021_636_800_000)
def test_every_index_of_a_topic_is_looked_through(
    index: dict[str, str], zone: str, time_ms: int
) -> None:
    target = _target(index={**index, "zone": zone})

    assert any(covers(pattern, target.index(time_ms)) for pattern in index_patterns(target))


def test_the_indices_of_other_topics_are_not_looked_through() -> None:
    assert index_patterns(_target()) == ["sag-order_*-01", "sag-order_undated"]


def test_a_name_without_a_date_is_looked_through_as_it_is() -> None:
    assert index_patterns(_target(index={"name": "logs-{topic}"}))[0] == "logs-order"


@pytest.mark.parametrize(
    ("index", "patterns"),
    [
        (
            {"name": "logs-{s}-%Y"},
            ["logs-*", "logs-*_undated", "logs-overflow-*", "logs-overflow_undated"],
        ),
        ({"data_stream": "logs-{s}-prod"}, ["logs-*-prod", "logs-overflow-prod"]),
        ({"name": "{topic}-{s}"}, ["order-*", "overflow-overflow"]),
    ],
)
def test_patterns_match_what_fields_name_and_the_overflow(
    index: dict[str, object], patterns: list[str]
) -> None:
    assert index_patterns(_target(index=index)) == patterns
