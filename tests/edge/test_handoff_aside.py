"""
What is set aside is bounded by bytes and by parts, and beside the places of the bulks.
"""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sink.core.body import Body
from sink.core.bulk import Bulk
from sink.core.offsets import Ticket
from sink.core.record import Headers, Partition
from sink.edge import handoff as module
from sink.edge.handoff import Handoff
from sink.testing import FakeRecord

FATES = {("orders", "indexed"): 1}


def _part(documents: int = 1, size_bytes: int = 10, worker: int = 0) -> Bulk:
    """
    A part that may be set aside, as large as its documents and the objects around them.
    """
    records = [FakeRecord("orders", 0, n, b"") for n in range(documents)]
    return Bulk(Body([]), [*records], [], [], [], size_bytes, worker)


def _room_of(part: Bulk) -> int:
    handoff = Handoff(workers=1, places=1, bytes_max=1, aside_bytes_max=10**9)
    assert handoff.set_aside(part)
    return handoff.aside()[1]


def test_what_is_set_aside_has_room_of_its_own_and_takes_no_place() -> None:
    part = _part(3)
    handoff = Handoff(workers=1, places=1, bytes_max=1, aside_bytes_max=_room_of(part))

    assert handoff.set_aside(part)

    assert handoff.outstanding() == (0, 0)
    assert handoff.aside() == (1, _room_of(part))
    assert not handoff.set_aside(_part(0, 1))


def test_small_documents_are_counted_with_the_objects_around_them() -> None:
    """
    Else a bound of 32 MB would hold a million documents of 30 bytes, some 500 MB of objects.
    """
    assert _room_of(_part(1000, 30_000)) > 30_000 + 1000 * 300


def test_there_is_room_again_once_a_part_came_to_its_end() -> None:
    part = _part()
    handoff = Handoff(workers=1, places=1, bytes_max=1, aside_bytes_max=_room_of(part))
    assert handoff.set_aside(part)
    assert not handoff.set_aside(part)

    handoff.finish(part, [], FATES)

    assert handoff.set_aside(part)


def test_the_end_of_a_part_is_told_to_its_thread_and_gives_no_place_back() -> None:
    part = _part(worker=1)
    ticket = Ticket(Partition("orders", 1), 1, 0, 1, 1)
    handoff = Handoff(workers=2, places=1, bytes_max=1)
    assert handoff.set_aside(part)

    handoff.finish(part, [ticket], FATES)

    assert handoff.settled(0) == []
    (settlement,) = handoff.settled(1)
    assert settlement.bulk is None
    assert settlement.tickets == [ticket]
    assert settlement.fates == FATES
    assert handoff.outstanding() == (0, 0)
    assert handoff.aside() == (0, 0)


def test_parts_are_bounded_in_number_until_their_thread_took_the_settlement(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "ASIDE_PARTS_MAX", 2)
    handoff = Handoff(workers=1, places=1, bytes_max=1)
    part = _part()
    assert [handoff.set_aside(part) for _ in range(3)] == [True, True, False]

    handoff.finish(part, [], FATES)
    assert not handoff.set_aside(part), "its settlement may find no room"

    handoff.settled(0)
    assert handoff.aside()[0] == 1
    assert handoff.set_aside(part)


def test_every_settlement_of_bulks_and_of_parts_finds_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ASIDE_PARTS_MAX", 3)
    handoff = Handoff(workers=2, places=2, bytes_max=1000)
    loop = asyncio.new_event_loop()
    handoff.open(loop)
    bulks = [_part() for _ in range(4)]
    assert all(map(handoff.offer, bulks[:2]))
    for bulk in bulks[2:]:
        handoff.submit(bulk)
    parts = [_part() for _ in range(3)]
    assert all(map(handoff.set_aside, parts))

    for bulk in bulks:
        handoff.settle(bulk, [], FATES)
    for part in parts:
        handoff.finish(part, [], FATES)
    loop.close()

    assert len(handoff.settled(0)) == 7
    assert handoff.aside() == (0, 0)
    assert handoff.outstanding() == (0, 0)


def test_the_headers_of_what_is_set_aside_take_room_too() -> None:
    headers: Headers = [(f"trace-{n}", b"x" * 20) for n in range(10)]
    laden = [FakeRecord("ekk-a", 0, n, b"{}", headers=headers) for n in range(5)]
    handoff = Handoff(workers=1, places=1, bytes_max=1, aside_bytes_max=10_000)
    part = _part()
    part.records = list(laden)

    assert not handoff.set_aside(part)

    part.records = [FakeRecord("ekk-a", 0, n, b"{}") for n in range(5)]
    assert handoff.set_aside(part)


ROOM = 20_000
STEPS = st.lists(
    st.tuples(st.integers(1, 12), st.integers(0, 9000)) | st.sampled_from(["finish", "take"]),
    max_size=60,
)


@given(STEPS)
def test_what_is_set_aside_fits_exactly_whatever_comes_and_goes(
    steps: list[tuple[int, int] | str],
) -> None:
    handoff = Handoff(workers=1, places=1, bytes_max=1, aside_bytes_max=ROOM)
    held: list[Bulk] = []
    finished = used = 0
    for step in steps:
        if step == "take":
            assert len(handoff.settled(0)) == finished
            finished = 0
        elif step == "finish":
            if held:
                part = held.pop()
                handoff.finish(part, [], FATES)
                used -= _room_of(part)
                finished += 1
        elif not isinstance(step, str):
            part = _part(*step)
            fits = used + _room_of(part) <= ROOM
            assert handoff.set_aside(part) is fits
            held += [part] * fits
            used += _room_of(part) * fits
        assert handoff.aside() == (len(held) + finished, used)
        assert used <= ROOM
