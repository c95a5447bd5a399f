"""
The queues between the threads and the loop: bounded, and nothing gets lost in them.
"""

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sink.core.body import Body
from sink.core.bulk import Bulk
from sink.core.offsets import Ticket
from sink.core.record import Partition
from sink.edge.handoff import Handoff

FATES = {("orders", "indexed"): 1}


def _bulk(size_bytes: int = 10, worker: int = 0, number: int = 0) -> Bulk:
    ticket = Ticket(Partition("orders", worker), 1, number, number + 1, 1)
    return Bulk(Body([]), [], [], [], [ticket], size_bytes, worker)


@contextmanager
def _opened(handoff: Handoff) -> Iterator[asyncio.AbstractEventLoop]:
    """Run the loop that takes the bulks on a thread of its own."""
    loop = asyncio.new_event_loop()
    handoff.open(loop)
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture
def handoff() -> Iterator[Handoff]:
    handoff = Handoff(workers=2, places=3, bytes_max=100)
    with _opened(handoff):
        yield handoff


def test_no_more_bulks_are_taken_than_there_are_places(handoff: Handoff) -> None:
    assert [handoff.offer(_bulk()) for _ in range(4)] == [True, True, True, False]
    assert handoff.outstanding() == (3, 30)


def test_no_more_bytes_are_taken_than_there_is_room_for(handoff: Handoff) -> None:
    assert handoff.offer(_bulk(60))
    assert not handoff.offer(_bulk(41))
    assert handoff.offer(_bulk(40))


def test_a_bulk_larger_than_all_the_room_is_taken_alone(handoff: Handoff) -> None:
    assert handoff.offer(_bulk(1000))
    assert not handoff.offer(_bulk(1))


def test_a_place_is_held_until_the_bulk_is_settled_and_not_only_until_it_is_taken() -> None:
    """
    One that waits for its retry is still in memory.
    """
    handoff = Handoff(workers=1, places=1, bytes_max=100)
    with _opened(handoff) as loop:
        bulk = _bulk()
        assert handoff.offer(bulk)
        assert asyncio.run_coroutine_threadsafe(handoff.take(), loop).result(10) is bulk
        assert not handoff.offer(_bulk())

        handoff.settle(bulk, bulk.tickets, FATES)
        assert handoff.outstanding() == (0, 0)
        assert handoff.offer(_bulk())


def test_a_bulk_its_caller_runs_goes_beyond_the_places_and_is_counted(handoff: Handoff) -> None:
    for _ in range(3):
        handoff.offer(_bulk())

    handoff.submit(_bulk())

    assert handoff.outstanding() == (4, 40)


def test_a_settlement_comes_back_to_the_thread_of_its_bulk_and_to_no_other(
    handoff: Handoff,
) -> None:
    bulk = _bulk(worker=1)
    handoff.offer(bulk)

    handoff.settle(bulk, bulk.tickets, FATES)

    assert handoff.settled(0) == []
    (settlement,) = handoff.settled(1)
    assert settlement.tickets is bulk.tickets
    assert settlement.fates == FATES
    assert handoff.settled(1) == []


def test_settlements_come_back_in_the_order_they_were_made(handoff: Handoff) -> None:
    bulks = [_bulk(number=n) for n in range(3)]
    for bulk in bulks:
        handoff.offer(bulk)

    for bulk in reversed(bulks):
        handoff.settle(bulk, bulk.tickets, FATES)

    assert [s.tickets[0].first for s in handoff.settled(0)] == [2, 1, 0]


def test_a_thread_that_waits_for_a_settlement_gets_it(handoff: Handoff) -> None:
    bulk = _bulk()
    handoff.offer(bulk)
    settling = threading.Timer(0.01, handoff.settle, [bulk, bulk.tickets, FATES])
    settling.start()

    assert len(handoff.settled(0, timeout_s=10)) == 1
    settling.join()


def test_every_settlement_finds_room_without_anybody_taking_one() -> None:
    """
    The loop may not wait, and an error there would end the writer.
    """
    handoff = Handoff(workers=2, places=3, bytes_max=1000)
    with _opened(handoff):
        bulks = [_bulk() for _ in range(3)]
        assert all(map(handoff.offer, bulks))
        more = [_bulk(), _bulk(worker=1)]
        for bulk in more:
            handoff.submit(bulk)

        for bulk in bulks + more:
            handoff.settle(bulk, bulk.tickets, FATES)

    assert len(handoff.settled(0)) == 4
    assert len(handoff.settled(1)) == 1


@settings(deadline=None)
@given(st.lists(st.integers(1, 60), max_size=40))
def test_what_is_outstanding_never_exceeds_either_bound(sizes: list[int]) -> None:
    handoff = Handoff(workers=1, places=3, bytes_max=100)
    loop = asyncio.new_event_loop()
    handoff.open(loop)
    taken: list[Bulk] = []
    try:
        for size in sizes:
            bulk = _bulk(size)
            if handoff.offer(bulk):
                taken.append(bulk)
            else:
                first = taken.pop(0)
                handoff.settle(first, first.tickets, FATES)
                handoff.settled(0)
            assert handoff.outstanding() == (len(taken), sum(b.size_bytes for b in taken))
            assert len(taken) <= 3
            assert sum(bulk.size_bytes for bulk in taken) <= 100
    finally:
        loop.close()


WORKERS, EACH, PLACES = 4, 200, 5


def test_many_threads_and_one_loop_lose_nothing_and_pass_no_bound() -> None:
    handoff = Handoff(WORKERS, PLACES, bytes_max=10**9)
    found: list[Counter[int]] = [Counter() for _ in range(WORKERS)]
    with _opened(handoff) as loop:
        serving = asyncio.run_coroutine_threadsafe(_serve(handoff, WORKERS * EACH), loop)
        threads = [
            threading.Thread(target=_work, args=[handoff, worker, found[worker]], daemon=True)
            for worker in range(WORKERS)
        ]
        for thread in threads:
            thread.start()
        most = serving.result(60)
        for thread in threads:
            thread.join(60)

    assert handoff.outstanding() == (0, 0)
    assert found == [Counter(range(EACH))] * WORKERS
    assert most <= PLACES + WORKERS


async def _serve(handoff: Handoff, bulks: int) -> int:
    """Settle each bulk; give the most that were ever outstanding."""
    most = 0
    for _ in range(bulks):
        bulk = await handoff.take()
        most = max(most, handoff.outstanding()[0])
        await asyncio.sleep(0)
        handoff.settle(bulk, bulk.tickets, FATES)
    return most


def _work(handoff: Handoff, worker: int, found: Counter[int]) -> None:
    """Offer bulks as a worker does, and note each settlement."""
    for number in range(EACH):
        found.update(s.tickets[0].first for s in handoff.settled(worker))
        bulk = _bulk(worker=worker, number=number)
        if not handoff.offer(bulk):
            handoff.submit(bulk)
            while not found[number]:
                found.update(s.tickets[0].first for s in handoff.settled(worker, 10))
    while found.total() < EACH:
        found.update(s.tickets[0].first for s in handoff.settled(worker, 10))
