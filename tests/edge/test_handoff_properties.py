"""
The handoff against a model of lists: bounded in count and bytes, and nothing is lost in it.
"""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from unittest.mock import patch

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from sink.core.body import Body
from sink.core.bulk import Bulk
from sink.core.offsets import Ticket
from sink.core.record import Partition
from sink.edge import handoff as module
from sink.edge.handoff import Handoff, Settlement
from sink.testing import FakeRecord

FATES = {("orders", "indexed"): 1}
PARTS_MAX = 4


@dataclass(eq=False)
class Model:
    """What is where, in the order it came there."""

    places: int
    bytes_max: int
    aside_bytes_max: int
    waiting: deque[Bulk] = field(default_factory=deque)  # handed over, not taken
    taken: list[Bulk] = field(default_factory=list)
    beyond: dict[int, Bulk] = field(default_factory=dict)  # worker → the bulk it sees through
    aside: list[Bulk] = field(default_factory=list)
    inboxes: list[list[tuple[Bulk, bool]]] = field(default_factory=list)  # (bulk, set aside)

    def outstanding(self) -> list[Bulk]:
        return [*self.waiting, *self.taken]

    def free(self) -> list[int]:
        """The workers that see no bulk through: the others wait for theirs."""
        return [worker for worker in range(len(self.inboxes)) if worker not in self.beyond]


def _bulk(number: int, worker: int, size_bytes: int, documents: int = 0) -> Bulk:
    ticket = Ticket(Partition("orders", worker), 1, number, number + 1, 1)
    records = [FakeRecord("orders", worker, number, b"")] * documents
    return Bulk(Body([]), [*records], [], [], [ticket], size_bytes, worker)


def _room_of(part: Bulk) -> int:
    """Tell what a part takes of the room: its bytes and those of the objects around it."""
    handoff = Handoff(workers=1, places=1, bytes_max=1, aside_bytes_max=10**9)
    assert handoff.set_aside(part)
    return handoff.aside()[1]


class HandoffMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.fewer_parts = patch.object(module, "ASIDE_PARTS_MAX", PARTS_MAX)
        self.fewer_parts.start()
        self.loop = asyncio.new_event_loop()
        self.made = 0

    @initialize(
        workers=st.integers(1, 3),
        places=st.integers(1, 4),
        bytes_max=st.integers(0, 100),
        aside_bytes_max=st.sampled_from([0, 500, 1_000, 10_000]),
    )
    def open(self, workers: int, places: int, bytes_max: int, aside_bytes_max: int) -> None:
        self.handoff = Handoff(workers, places, bytes_max, aside_bytes_max)
        self.handoff.open(self.loop)
        self.model = Model(places, bytes_max, aside_bytes_max)
        self.places = places
        self.model.inboxes = [[] for _ in range(workers)]

    @precondition(lambda self: self.model.free())
    @rule(data=st.data(), size_bytes=st.integers(1, 120))
    def hand_over(self, data: st.DataObject, size_bytes: int) -> None:
        """A worker offers a bulk, and sees it through itself where there is no place."""
        model, worker = self.model, data.draw(st.sampled_from(self.model.free()))
        bulk = _bulk(self.made, worker, size_bytes)
        self.made += 1
        held = model.outstanding()
        held_bytes = sum(each.size_bytes for each in held)
        fits = not held or held_bytes + size_bytes <= model.bytes_max

        assert self.handoff.offer(bulk) is (len(held) < model.places and fits)

        if not (len(held) < model.places and fits):
            self.handoff.submit(bulk)
            model.beyond[worker] = bulk
        model.waiting.append(bulk)

    @rule(places=st.integers(1, 6))
    def allow(self, places: int) -> None:
        self.handoff.allow(places, places)
        self.model.places = min(places, self.places)

    @precondition(lambda self: self.model.waiting)
    @rule()
    def take(self) -> None:
        bulk = self.model.waiting.popleft()
        assert self.loop.run_until_complete(self.handoff.take()) is bulk
        self.model.taken.append(bulk)

    @precondition(lambda self: self.model.taken)
    @rule(data=st.data(), documents=st.integers(0, 3))
    def set_aside(self, data: st.DataObject, documents: int) -> None:
        of = data.draw(st.sampled_from(self.model.taken))
        part = _bulk(self.made, of.worker, of.size_bytes, documents)
        self.made += 1
        parts_held = len(self.model.aside) + self._ends_not_taken()
        held_bytes = sum(map(_room_of, self.model.aside))
        fits = held_bytes + _room_of(part) <= self.model.aside_bytes_max

        assert self.handoff.set_aside(part) is (fits and parts_held < PARTS_MAX)

        if fits and parts_held < PARTS_MAX:
            self.model.aside.append(part)

    @precondition(lambda self: self.model.taken)
    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        bulk = data.draw(st.sampled_from(self.model.taken))
        self.model.taken.remove(bulk)
        self.handoff.settle(bulk, bulk.tickets, FATES)
        self.model.inboxes[bulk.worker].append((bulk, False))

    @precondition(lambda self: self.model.aside)
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        part = data.draw(st.sampled_from(self.model.aside))
        self.model.aside.remove(part)
        self.handoff.finish(part, part.tickets, FATES)
        self.model.inboxes[part.worker].append((part, True))

    @rule(data=st.data())
    def take_settled(self, data: st.DataObject) -> None:
        """Each settlement comes once, in order, to the worker whose bulk it was."""
        worker = data.draw(st.integers(0, len(self.model.inboxes) - 1))
        due, self.model.inboxes[worker] = self.model.inboxes[worker], []
        assert self.handoff.settled(worker) == [
            Settlement(bulk.tickets, FATES, None if aside else bulk) for bulk, aside in due
        ]
        if (self.model.beyond.get(worker), False) in due:
            del self.model.beyond[worker]

    @invariant()
    def no_more_is_held_than_there_is_room_for(self) -> None:
        model, held = self.model, self.model.outstanding()
        assert self.handoff.outstanding() == (len(held), sum(b.size_bytes for b in held))
        within = [bulk for bulk in held if bulk not in model.beyond.values()]
        assert len(within) <= self.places  # those allowed before fewer were stay
        assert len(within) <= 1 or sum(b.size_bytes for b in within) <= model.bytes_max

    @invariant()
    def no_more_is_set_aside_than_there_is_room_for(self) -> None:
        model = self.model
        room = sum(map(_room_of, model.aside))
        assert self.handoff.aside() == (len(model.aside) + self._ends_not_taken(), room)
        assert room <= model.aside_bytes_max
        assert 0 <= self.handoff.crowding() <= 1

    def teardown(self) -> None:
        self.fewer_parts.stop()
        if hasattr(self, "model"):
            self._all_comes_back()
        self.loop.close()

    def _all_comes_back(self) -> None:
        while self.model.waiting:
            self.take()
        for bulk in self.model.taken:
            self.handoff.settle(bulk, bulk.tickets, FATES)
        for part in self.model.aside:
            self.handoff.finish(part, part.tickets, FATES)
        back = [self.handoff.settled(worker) for worker in range(len(self.model.inboxes))]
        due = sum(map(len, self.model.inboxes)) + len(self.model.taken) + len(self.model.aside)
        assert sum(map(len, back)) == due
        assert self.handoff.outstanding() == self.handoff.aside() == (0, 0)

    def _ends_not_taken(self) -> int:
        return sum(aside for inbox in self.model.inboxes for _, aside in inbox)


TestHandoff = HandoffMachine.TestCase
TestHandoff.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
