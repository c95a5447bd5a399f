"""
Lanes and tallies against a model that knows of each document where it is: what waits is counted,
every document has one fate, and a ticket is settled once, as soon as nothing of it is under way.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sink.core.bulk import Bulk
from sink.core.lane import Aside, Lane
from sink.core.ledger import PARKED
from sink.core.outcome import Outcome, Verdict
from sink.core.tally import Progress, Tally
from tests.core.placing import bulk_of, ticket_of

INDICES = ["may", "june"]
WHY = Verdict(Outcome.PARK, "cluster_block_exception", "index blocked")
Doc = bytes  # the action line: no two documents have the same


@dataclass(eq=False)
class Way:
    """A bulk, what of it still moves, and the model's view of its tickets."""

    bulk: Bulk
    progress: Progress
    rest: Bulk
    of_ticket: dict[int, set[Doc]]  # id of the ticket → its documents without a fate
    fates: list[Counter[tuple[str, str]]]
    left: set[int] = field(default_factory=set)  # ids of tickets that are never settled
    moved: bool = False

    def due(self) -> set[int]:
        """The tickets that are to be settled by now."""
        open_ = {ticket for ticket, docs in self.of_ticket.items() if docs}
        return set(self.of_ticket) - open_ - self.left if self.moved else set()


@dataclass(eq=False)
class Waits:
    """What the model knows of documents that were set aside together."""

    way: Way
    docs: list[Doc]
    size_bytes: int


class LaneMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.lanes = {index: _lane(index) for index in INDICES}
        self.waits: dict[str, list[tuple[Aside, Waits]]] = {index: [] for index in INDICES}
        self.ways: list[Way] = []
        self.settled: Counter[int] = Counter()  # id of the ticket → times
        self.runs = 0

    @rule(
        shares=st.lists(
            st.tuples(st.sampled_from(INDICES), st.integers(0, 2), st.integers(1, 3)),
            min_size=1,
            max_size=5,
        )
    )
    def begin(self, shares: list[tuple[str, int, int]]) -> None:
        """A bulk: an index, one of three runs and a number of documents each."""
        self.runs += 1
        tickets = [ticket_of(f"topic-{n}", self.runs * 1000) for n in range(3)]
        bulk = bulk_of(*((index, tickets[run], documents) for index, run, documents in shares))
        of_ticket: dict[int, set[Doc]] = {id(ticket): set() for ticket in bulk.tickets}
        for action, section in zip(bulk.lines[0::2], bulk.places(), strict=True):
            of_ticket[id(section.ticket)].add(action)
        progress = Progress(Tally(bulk.tickets))
        self.ways.append(Way(bulk, progress, bulk, of_ticket, [progress.fates]))

    @precondition(lambda self: self._moving())
    @rule(data=st.data())
    def account_for_some(self, data: st.DataObject) -> None:
        way = data.draw(st.sampled_from(self._moving()))
        chosen = data.draw(st.sets(st.sampled_from(range(len(way.rest))), min_size=1))
        part = self._taken(way, [p for p in range(len(way.rest)) if p in chosen])
        way.progress.note(part, Outcome.INDEXED)
        self._fated(way, _docs(part))

    @precondition(lambda self: self._moving())
    @rule(data=st.data())
    def set_aside(self, data: st.DataObject) -> None:
        way, index, part = self._of_one_index(data)
        way.progress.tally.set_aside(part.sections)
        self._hold(index, way, part)

    @precondition(lambda self: self._moving())
    @rule(data=st.data())
    def leave_in_the_parked_topic(self, data: st.DataObject) -> None:
        way, index, part = self._of_one_index(data)
        way.progress.tally.leave((section.ticket for section in part.sections), index)
        way.progress.note(part, PARKED)
        way.left |= {id(section.ticket) for section in part.sections}
        self._fated(way, _docs(part))
        assert {id(t) for t, waits_for in way.progress.tally.left} == way.left
        assert index in {waits_for for _, waits_for in way.progress.tally.left}

    @precondition(lambda self: any(not way.moved and not len(way.rest) for way in self.ways))
    @rule(data=st.data())
    def give_the_place_back(self, data: st.DataObject) -> None:
        through = [way for way in self.ways if not way.moved and not len(way.rest)]
        way = data.draw(st.sampled_from(through))
        way.moved = True
        self._settle(way.progress)

    @rule(index=st.sampled_from(INDICES), accepted=st.booleans())
    def ask(self, index: str, accepted: bool) -> None:
        """A document of a lane asks, each in its turn; where none waits a dry run does."""
        lane, waits = self.lanes[index], self.waits[index]
        waiting = [(held, doc) for held, known in waits for doc in known.docs]
        document, aside, position = lane.candidate()
        if not waiting:
            assert aside is None
            assert _docs(document)[0] not in {doc for way in self.ways for doc in _docs(way.bulk)}
            return
        holder, doc = waiting[lane.cursor % len(waiting)]
        assert (aside, _docs(document)) == (holder, [doc])
        if not accepted:
            lane.cursor += 1
            return
        known = next(its for held, its in waits if held is holder)
        lane.take(holder, position, Outcome.DUPLICATE)
        known.docs.remove(doc)

    @precondition(lambda self: any(self.waits.values()))
    @rule(data=st.data(), fate=st.sampled_from([PARKED, Outcome.INDEXED]))
    def bring_the_first_to_its_end(self, data: st.DataObject, fate: str) -> None:
        self._bring_to_its_end(data.draw(st.sampled_from(self._waiting())), fate)

    @precondition(lambda self: any(self.waits.values()))
    @rule(data=st.data())
    def refuse_the_first_again(self, data: st.DataObject) -> None:
        """While it is drained its documents are set aside anew: the ticket waits on."""
        index = data.draw(st.sampled_from(self._waiting()))
        aside, known = self.waits[index][0]
        if known.docs:
            aside.progress.tally.set_aside(aside.rest.sections)
            self._hold(index, known.way, aside.rest)
        self._release_the_first(index)

    @invariant()
    def what_waits_is_counted(self) -> None:
        for index, lane in self.lanes.items():
            waits = self.waits[index]
            assert lane.documents == sum(len(known.docs) for _, known in waits)
            assert lane.size_bytes == sum(known.size_bytes for _, known in waits)
            assert [held for held, _ in waits] == list(lane.asides)
            assert [d for a in lane.asides for d in _docs(a.rest)] == [
                doc for _, known in waits for doc in known.docs
            ]

    @invariant()
    def a_ticket_is_settled_once_and_just_when_nothing_of_it_is_under_way(self) -> None:
        due = {ticket for way in self.ways for ticket in way.due()}
        assert self.settled == Counter(due)

    def teardown(self) -> None:
        for way in self._moving():
            way.progress.note(way.rest, Outcome.INDEXED)
            self._fated(way, _docs(self._taken(way, range(len(way.rest)))))
        for index in INDICES:
            while self.waits[index]:
                self._bring_to_its_end(index, Outcome.INDEXED)
        for way in self.ways:
            if not way.moved:
                way.moved = True
                self._settle(way.progress)
            assert sum(fates.total() for fates in way.fates) == len(way.bulk), "two fates, or none"
        self.what_waits_is_counted()
        self.a_ticket_is_settled_once_and_just_when_nothing_of_it_is_under_way()

    def _moving(self) -> list[Way]:
        return [way for way in self.ways if len(way.rest)]

    def _of_one_index(self, data: st.DataObject) -> tuple[Way, str, Bulk]:
        way = data.draw(st.sampled_from(self._moving()))
        bound, positions = data.draw(st.sampled_from(sorted(way.rest.by_bound().items(), key=str)))
        return way, bound.index, self._taken(way, positions)

    def _taken(self, way: Way, positions: Sequence[int]) -> Bulk:
        part = way.rest.part(positions)
        way.rest = way.rest.part([p for p in range(len(way.rest)) if p not in positions])
        return part

    def _hold(self, index: str, way: Way, part: Bulk) -> None:
        aside = Aside(part, Progress(way.progress.tally))
        way.fates.append(aside.progress.fates)
        self.lanes[index].hold(aside)
        self.waits[index].append((aside, Waits(way, _docs(part), part.size_bytes)))

    def _waiting(self) -> list[str]:
        return [index for index in INDICES if self.waits[index]]

    def _bring_to_its_end(self, index: str, fate: str) -> None:
        aside, _ = self.waits[index][0]
        aside.progress.note(aside.rest, fate)
        self._release_the_first(index)

    def _release_the_first(self, index: str) -> None:
        aside, known = self.waits[index].pop(0)
        assert self.lanes[index].release() is aside
        waits_on = {doc for held in self.waits.values() for _, its in held for doc in its.docs}
        self._fated(known.way, [doc for doc in _docs(aside.part) if doc not in waits_on])
        self.settled.update(map(id, aside.progress.tally.ended(aside.part.sections)))

    def _fated(self, way: Way, docs: list[Doc]) -> None:
        for open_ in way.of_ticket.values():
            open_.difference_update(docs)

    def _settle(self, progress: Progress) -> None:
        self.settled.update(map(id, progress.tally.moved()))


def _docs(bulk: Bulk) -> list[Doc]:
    return bulk.lines[0::2]


def _lane(index: str) -> Lane:
    return Lane(index, WHY, bulk_of((index, ticket_of("sample", 7), 1)), 0.0)


TestLanes = LaneMachine.TestCase
TestLanes.settings = settings(max_examples=100, stateful_step_count=30)
