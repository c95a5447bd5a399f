"""
The last page: what went where, as the judge found it.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import click
from elasticsearch import Elasticsearch

from demo.configuration import user_topic
from demo.found import Answer
from demo.judge import Fates, Verdict
from demo.table import clipped, table

_HEADS = (
    "topic",
    "produced",
    "indexed",
    "duplicate",
    "dead-lettered",
    "dropped",
    "unaccounted",
)
_ASKED_HEADS = ("source", "topic", "index", "documents", "query", "found", "of")


def lines(verdict: Verdict, elasticsearch: Elasticsearch, dead_letters: str) -> Iterator[str]:
    """
    Write the page.

    Args:
        elasticsearch: Asked for a document of each index.
        dead_letters: Their topic.
    """
    rows = [_row(topic, fates) for topic, fates in verdict.topics.items()]
    yield from _titled(
        "What became of each record, by topic",
        table(_HEADS, [*rows, _row("total", verdict.total())]),
    )
    yield "Indexed, duplicate, dead-lettered count documents: a record may hold several."
    places = [
        (topic, user_topic(topic), index, documents)
        for (topic, index), documents in sorted(verdict.indices.items())
    ]
    yield from _titled("Where it is", table(("topic", "user topic", "index", "documents"), places))
    yield from _titled(f"Dead letters, in topic {dead_letters}", _letters(verdict))
    yield from _titled("One document of each index", _documents(verdict, elasticsearch))


def _titled(title: str, body: list[str]) -> Iterator[str]:
    yield ""
    yield click.style(title, bold=True)
    yield from body or ["none"]


def _row(topic: str, fates: Fates) -> tuple[str | int, ...]:
    return topic, *vars(fates).values()


def _letters(verdict: Verdict) -> list[str]:
    counts = Counter(letter.error_type for letter in verdict.letters.values())
    # Reasons name ids and positions: one stands for all of its type.
    examples = {letter.error_type: letter.reason for letter in verdict.letters.values()}
    rows = [
        (number, kind, " ".join(examples[kind].split())) for kind, number in counts.most_common()
    ]
    return [clipped(line) for line in table(("documents", "error type", "reason, as of one"), rows)]


def _documents(verdict: Verdict, elasticsearch: Elasticsearch) -> list[str]:
    shown = []
    for index in sorted({index for _, index in verdict.indices}):
        for hit in elasticsearch.search(index=index, size=1)["hits"]["hits"]:
            source = json.dumps(hit["_source"], ensure_ascii=False)
            # A lone surrogate cannot be printed.
            text = source.encode(errors="backslashreplace").decode()
            shown.append(clipped(f"{index}  {hit['_id']}  {text}"))
    return shown


def sources(answers: Sequence[Answer], not_run: Mapping[str, str]) -> Iterator[str]:
    """
    Write what was asked of each source's index, and what came of it.

    Args:
        not_run: Source → why it sent nothing.
    """
    rows = [
        (
            answer.place.source.name,
            answer.place.source.topic,
            answer.place.index or "none",
            answer.place.documents,
            answer.query,
            answer.found,
            answer.wanted,
        )
        for answer in answers
    ]
    yield from _titled("What is found of each source, by its fields", table(_ASKED_HEADS, rows))
    yield from (f"{name}: not run: {why}" for name, why in not_run.items())


def judgement(verdict: Verdict, sink_exit: int) -> list[str]:
    """
    Tell what is wrong. Empty when every record is accounted for and the sink ended in order.
    """
    total = verdict.total()
    found = {
        "nothing was produced": not total.produced,
        f"{total.unaccounted} of {total.produced} records are unaccounted for: "
        f"{', '.join(verdict.missing)}": total.unaccounted,
        f"{total.duplicate} documents are in Elasticsearch more than once": total.duplicate,
        f"{verdict.unexplained} documents are in Elasticsearch that no record explains": (
            verdict.unexplained
        ),
        f"the sink ended with exit code {sink_exit}": sink_exit,
    }
    return [sentence for sentence, wrong in found.items() if wrong]
