"""
The audit's walk through the records: the documents they give, and where each of these is.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence

import orjson

from sink.core.audit import Accounts, Explained, Fate, Finding, Place, place_of
from sink.core.collect import Rejected, runs
from sink.core.dead_letter import target_of
from sink.core.ledger import DROPPED
from sink.core.record import Record
from sink.core.target import Target
from sink.edge.kafka.reader import Reader, Span
from sink.edge.search import Name, Pages

_PAGE_DOCS = 5000  # some 600 KB to Elasticsearch; its answer is 15 bytes a document


class Walk:
    """
    Follows the documents of a topic.

    Args:
        explained: Is told of every id, where surplus documents are looked for.
        counts: fate → documents; counted up.
    """

    def __init__(
        self,
        topic: str,
        target: Target,
        accounts: Accounts,
        explained: Explained | None,
        counts: Counter[str],
    ) -> None:
        self._topic = topic
        self._target = target
        self._accounts = accounts
        self._explained = explained
        self._counts = counts
        # What stands before the index and id of an action line.
        self._operation = len(target.route.action_head)
        self._capped = target.route.new_per_hour_max is not None
        self._overflow: dict[str, str] = {}  # index → where its documents may be instead

    def follow(
        self, reader: Reader, spans: Sequence[Span], runner: asyncio.Runner, pages: Pages
    ) -> Iterator[tuple[int, int, list[Finding]]]:
        """
        Read spans and ask for their documents, while the next are read.

        Yields:
            (records read, offsets there are, documents found missing meanwhile).
        Raises:
            Unauthorized, Unavailable: With the reason.
        """
        left = of = sum(span.offsets for span in spans)
        lines: list[bytes] = []
        for batch in reader.batches(spans):
            missing: list[Finding] = []
            for made in self._made(batch, missing):
                lines += made
                while len(lines) >= _PAGE_DOCS:
                    page, lines = lines[:_PAGE_DOCS], lines[_PAGE_DOCS:]
                    absent = runner.run(pages.ask(self._json(page)))
                    missing += self._missing(self._nowhere(absent, runner, pages))
            left -= len(batch)
            yield len(batch), of, missing
        absent = runner.run(pages.ask(self._json(lines))) if lines else []
        absent = self._nowhere(absent + runner.run(pages.rest()), runner, pages)
        # Asked for in the overflow as well, where that is asked while others are under way.
        while rest := runner.run(pages.rest()):
            absent += self._nowhere(rest, runner, pages)
        # Offsets without a record (markers, compaction) are done with as well.
        yield left, of, self._missing(absent)

    def _nowhere(self, absent: Sequence[Name], runner: asyncio.Runner, pages: Pages) -> list[Name]:
        """
        Give the documents that are not in the overflow of the route either; others are asked for.
        """
        nowhere: list[Name] = []
        while absent:
            nowhere += [name for name in absent if name.in_index not in self._overflow]
            elsewhere = [
                {"_index": self._overflow[name.in_index], "_id": name.id}
                for name in absent
                if name.in_index in self._overflow
            ]
            absent = runner.run(pages.ask(orjson.dumps(elsewhere))) if elsewhere else []
        return nowhere

    def _made(self, batch: Sequence[Record], missing: list[Finding]) -> Iterator[list[bytes]]:
        """
        Make the action lines of records, piece by piece, and enter what gives none.
        """
        for run in runs(batch):
            for _, made, actions in self._target.pieces(run, _PAGE_DOCS):
                for rule, records in made.dropped.items():
                    self._counts[DROPPED + rule] += records
                for rejected in made.rejected:
                    missing += self._of_rejected(rejected)
                # Until it is told that one is not there.
                self._counts[Fate.INDEXED] += len(actions.lines)
                for bound, _ in actions.bounds:
                    series = bound.series if self._capped else None
                    # A field may hold that very word.
                    if series is not None and series.overflow != bound.index:
                        self._overflow[bound.index] = series.overflow
                if self._explained is not None:
                    for line in actions.lines:
                        self._explained.add(target_of(line)[1] or "")
                yield actions.lines

    def _json(self, lines: Sequence[bytes]) -> bytes:
        """
        Make the JSON array of the indices and ids of action lines.
        """
        names = [line[self._operation : -1] for line in lines]
        return b"[{" + b",{".join(names) + b"]" if names else b"[]"

    def _missing(self, absent: Sequence[Name]) -> list[Finding]:
        """
        Enter the fate of documents that are not in Elasticsearch, and give the missing ones.
        """
        missing = []
        for name in absent:
            place = place_of(self._target.topic_id, name.id)
            assert place is not None
            self._counts[Fate.INDEXED] -= 1
            fate = self._accounts.fate(place)
            self._counts[fate] += 1
            if fate is Fate.MISSING:
                missing.append(Finding(fate, self._topic, place, *name))
        return missing

    def _of_rejected(self, rejected: Rejected) -> list[Finding]:
        """
        Enter the fate of what the collector refused, and give the missing ones.
        """
        record = rejected.record
        whole = Place(record.partition() or 0, record.leader_epoch() or 0, record.offset() or 0)
        places = [whole._replace(position=each) for each in rejected.positions] or [whole]
        fates = [(self._accounts.fate(place), place) for place in places]
        self._counts.update(fate for fate, _ in fates)
        return [Finding(fate, self._topic, at) for fate, at in fates if fate is Fate.MISSING]
