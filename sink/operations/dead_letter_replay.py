"""
Sends dead letters again, each under the index and the id it had or would have had.

So it may be done any number of times: what is indexed already is turned away as a duplicate.
Nothing of the dead-letter topic is deleted, and what is refused again stays there.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from sink.config import Config
from sink.core.action import action_head, action_line
from sink.core.collect import Documents, Rejected, Run, pieces
from sink.core.dead_letter import target_of
from sink.core.json_objects import is_object, on_one_line
from sink.core.record import Element, Partition
from sink.core.route import Route, route_of
from sink.core.target import Target
from sink.edge.kafka.reader import Reader
from sink.operations import dead_letters
from sink.operations.dead_letters import Choice, Letter
from sink.operations.item import Item
from sink.operations.report import Report
from sink.operations.resend import Sending
from sink.routes import routes_of

_STUB = "only the beginning of its value was kept: it was too large for the dead-letter topic"
_NO_ID = "its headers tell no topic id, so it would get another id than the daemon gives"
_NO_OBJECT = "its value is no JSON object, though it is a document's"


class DeadLetterReplay:
    """
    A replay of chosen dead letters: those that are there when it is made.

    Raises:
        ConfigError: A route is impossible.
        Unauthorized, Unavailable: With the reason.
    """

    def __init__(self, config: Config, reader: Reader, choice: Choice) -> None:
        self.report = Report()
        self._choice = choice
        self._reader = reader
        self._spans = dead_letters.spans(reader, config, choice)
        self._planner = Planner(routes_of(config), config.bulk.docs_max, self.report)

    @property
    def records(self) -> int:
        """
        How many records of the dead-letter topic have to be read, at most.
        """
        return sum(span.offsets for span in self._spans)

    def run(self, sending: Sending | None, progress: Callable[[int], None]) -> None:
        """
        Send the letters, or only say in the report what would be sent.

        Args:
            sending: None for a dry run.
            progress: Is told how many records more were read and seen through.
        Raises:
            Unauthorized, Unavailable: With the reason. What was sent until then is in the report.
        """
        for page in dead_letters.pages(self._reader, self._spans, self._choice):
            if page.foreign and self._choice.names_nothing:
                self.report.cannot("no dead letter of the sink", page.foreign)
            items = self._items(page.letters, dry=sending is None)
            if sending is None:
                for _ in items:  # the planning itself counts
                    pass
            else:
                sending.send(items)
            progress(page.records)
        self.report.complete = True

    def _items(self, letters: Sequence[Letter], *, dry: bool) -> Iterator[Item]:
        for letter in letters:
            for item in self._planner.items(letter):
                if dry:
                    group = (letter.envelope.error_type, letter.origin.topic, item.index)
                    self.report.planned[group] += 1
                yield item


class Planner:
    """
    Makes documents of dead letters again.

    A document that Elasticsearch refused gets the index and id it had. A record that no collector
    took is collected by the route of today, and gets both as the daemon would give them.

    Args:
        report: Is told what gives no document, and why.
    """

    def __init__(self, routes: Sequence[Route], docs_max: int, report: Report) -> None:
        self._routes = routes
        self._docs_max = docs_max
        self._report = report

    def items(self, letter: Letter) -> Iterator[Item]:
        """
        Give the documents of a letter.
        """
        envelope = letter.envelope
        route = route_of(letter.origin.topic, self._routes)
        name = envelope.id or _id_of(letter)
        if envelope.truncated:
            self._report.cannot(_STUB, envelope.documents)
        elif name is None:
            self._report.cannot(_NO_ID, envelope.documents)
        elif envelope.is_element:
            yield from self._element(letter, route, name)
        elif route is None:
            self._report.cannot(f"no route takes topic {letter.origin.topic}", envelope.documents)
        elif envelope.index is None:
            yield from self._as_the_daemon(letter, route)
        else:
            yield from self._collected(letter, route, envelope.index, name)

    def _as_the_daemon(self, letter: Letter, route: Route) -> Iterator[Item]:
        """
        Give the documents of a record that became none, as far as the letter is for it.

        They have ids also where Elasticsearch picks those of the route: a second replay adds none.
        """
        with_ids = replace(route, deterministic_ids=route.id_field is None)
        target = Target(letter.origin.topic, with_ids, letter.envelope.topic_id)
        wanted = set(letter.envelope.positions)
        for _, made, actions in target.pieces(_run(letter), self._docs_max):
            self._tell(letter, made, wanted)
            lines = zip(actions.lines, made.sources, made.records, strict=True)
            for line, source, record in lines:
                if not wanted or not isinstance(record, Element) or record.position in wanted:
                    yield Item(line, source, target_of(line)[0], letter.origin)

    def _element(self, letter: Letter, route: Route | None, name: str) -> Iterator[Item]:
        """
        Give the one document that the letter's value is.
        """
        envelope = letter.envelope
        value = _bytes(envelope.record.value())
        if not is_object(value):
            self._report.cannot(_NO_OBJECT, 1)
            return
        if envelope.id is None:
            name = f"{name}-{envelope.positions[0]}"
        assert envelope.index is not None
        yield _item(route, envelope.index, name, on_one_line(value), letter)

    def _collected(self, letter: Letter, route: Route, index: str, name: str) -> Iterator[Item]:
        """
        Give what the collector makes of the record now, as far as the letter is for it.
        """
        wanted = set(letter.envelope.positions)
        for _, made in pieces(_run(letter), route.collector, self._docs_max):
            self._tell(letter, made, wanted)
            for source, record in zip(made.sources, made.records, strict=True):
                position = record.position if isinstance(record, Element) else None
                if position is None:
                    yield _item(route, index, name, source, letter)
                elif not wanted or position in wanted:
                    yield _item(route, index, f"{name}-{position}", source, letter)

    def _tell(self, letter: Letter, made: Documents, wanted: set[int]) -> None:
        self._report.drop(made.dropped)
        for rejected in made.rejected:
            self._refuse(letter, rejected, wanted)

    def _refuse(self, letter: Letter, rejected: Rejected, wanted: set[int]) -> None:
        positions = rejected.positions
        if wanted and positions:
            positions = tuple(wanted.intersection(positions))
            if not positions:
                return
        documents = len(replace(rejected, positions=positions))
        self._report.refuse(letter.origin, "", rejected.error_type, rejected.reason, documents)


def _id_of(letter: Letter) -> str | None:
    """
    Make the id that the daemon gives a record; see `sink.core.target`.
    """
    envelope, origin = letter.envelope, letter.origin
    if not envelope.topic_id:
        return None
    epoch = envelope.record.leader_epoch() or 0
    return f"{envelope.topic_id}-{origin.partition}-{epoch}-{origin.offset}"


def _run(letter: Letter) -> Run:
    origin = letter.origin
    place = Partition(origin.topic, origin.partition)
    return Run(place, [letter.envelope.record], origin.offset, origin.offset + 1)


def _item(route: Route | None, index: str, name: str, source: bytes, letter: Letter) -> Item:
    version = letter.origin.offset if route and route.versioned else None
    head = route.action_head if route else action_head("create", None)
    action = action_line(head, index, name, version)
    return Item(action, source, index, letter.origin)


def _bytes(value: bytes | str | None) -> bytes:
    return value.encode() if isinstance(value, str) else value or b""
