"""
Whether what each source sent is found by its fields, in the index that it is in.

Asks Elasticsearch alone, as a user would; what has to be found follows from what was produced.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from elasticsearch import ApiError, Elasticsearch

from demo.judge import Verdict
from demo.samples import value_of
from demo.sources import PerRecord, Source

_EVERY = "@timestamp:*"  # every document has it, and it is one to search by
_TIME = {"@timestamp": "date"}


@dataclass(frozen=True)
class Place:
    """
    Where the documents of a source are.

    Args:
        index: Or several, with commas between; empty where no document is.
        documents: In them, of this source's topic.
    """

    source: Source
    index: str
    documents: int


class Answer(NamedTuple):
    """
    What a query found.
    """

    place: Place
    query: str
    wanted: int
    found: int
    refusal: str = ""  # why Elasticsearch could not answer

    @property
    def wrong(self) -> str:
        """
        Tell what is wrong; empty when all is found.
        """
        if self.wanted and self.found == self.wanted:
            return ""
        source, where = self.place.source, self.place.index or "no index"
        asked = f"{source.name}: {self.query} finds {self.found} of {self.wanted} in {where}"
        return f"{asked}: {self.refusal}" if self.refusal else asked


def answers(verdict: Verdict, client: Elasticsearch, source: Source) -> Iterator[Answer]:
    """
    Ask each query of a source, and first for every document of it.

    Args:
        verdict: The judge's: what was produced, and in which indices it is.
    """
    place = _place(verdict, source)
    yield _asked(client, place, _EVERY, place.documents)
    for query, finds in source.queries.items():
        yield _asked(client, place, query, _wanted(verdict, source.topic, finds))


def unmapped(verdict: Verdict, client: Elasticsearch, source: Source) -> Iterator[str]:
    """
    Tell of each field that has not the type it should have.
    """
    place, fields = _place(verdict, source), {**_TIME, **source.mapped}
    if not place.index:
        return
    mapped = client.field_caps(index=place.index, fields=list(fields))["fields"]
    for field, wanted in fields.items():
        types = sorted(mapped.get(field, ["nothing"]))
        if types != [wanted]:
            told = f"{field} is mapped as {', '.join(types)} and not as {wanted}"
            yield f"{source.name}: {told}, in {place.index}"


def _place(verdict: Verdict, source: Source) -> Place:
    found = {index: n for (topic, index), n in verdict.indices.items() if topic == source.topic}
    return Place(source, ",".join(sorted(found)), sum(found.values()))


def _wanted(verdict: Verdict, topic: str, finds: PerRecord | int) -> int:
    if isinstance(finds, int):
        return finds
    return sum(
        documents * verdict.values[topic, value_of(sample)] for sample, documents in finds.items()
    )


def _asked(client: Elasticsearch, place: Place, query: str, wanted: int) -> Answer:
    if not place.index:
        return Answer(place, query, wanted, 0)
    exact = {"query": query, "lenient": False}  # else what a field cannot answer is silent
    try:
        found = client.count(index=place.index, query={"query_string": exact})["count"]
    except ApiError as failure:  # such as a field that is mapped, but not indexed
        return Answer(place, query, wanted, 0, str(failure))
    return Answer(place, query, wanted, found)
