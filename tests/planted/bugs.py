"""
The bugs: one a kind of broken promise, as a change of one place of the source.
"""

from typing import NamedTuple


class Bug(NamedTuple):
    """
    A bug to be planted.

    Args:
        name: What it is, as the page says it.
        harm: What its users would suffer.
        file: Where, from the root of the project.
        right: Text that stands there exactly once.
        wrong: What stands there instead.
        judges: Test files, one of which must catch it.
    """

    name: str
    harm: str
    file: str
    right: str
    wrong: str
    judges: tuple[str, ...]


_OFFSETS = ("tests/core/test_offsets_properties.py", "tests/core/test_offsets.py")
_PARKING = ("tests/flow/test_parking.py", "tests/flow/test_parking_more.py")

BUGS = (
    Bug(
        "commit one too far",
        "a crash loses the record behind the last settled one",
        "sink/core/offsets.py",
        "            partition: track.settled\n",
        "            partition: track.settled + 1\n",
        (*_OFFSETS, "tests/flow/test_consumer.py"),
    ),
    Bug(
        "settle twice",
        "a run counts as settled while half of its documents are under way",
        "sink/core/offsets.py",
        "        ticket.parts -= 1\n",
        "        ticket.parts = max(0, ticket.parts - 2)\n",
        (*_OFFSETS, "tests/flow/test_sizes.py"),
    ),
    Bug(
        "drop a dead letter when its topic cannot be written",
        "refused documents vanish while the dead-letter topic is down",
        "sink/writing/scribe.py",
        "        while letters and not await self._write(self._dead_letters",
        "        if letters and not await self._write(self._dead_letters",
        ("tests/flow/test_outages.py", "tests/flow/test_dead_letters.py"),
    ),
    Bug(
        "pass a 500 as success",
        "documents that a full disk refused count as indexed",
        "sink/core/outcome.py",
        "status == 201 and op in _OP_TYPES and not error",
        "op in _OP_TYPES and status in (201, 500)",
        ("tests/core/test_outcome.py", "tests/flow/test_documents.py"),
    ),
    Bug(
        "pause without keeping alive",
        "the group evicts a sink that waits out an outage, and its work is done twice",
        "sink/reading/worker.py",
        "            if self._owned.held or now > poll_at:\n",
        "            if not self._owned.held and now > poll_at:\n",
        ("tests/flow/test_back_pressure.py", "tests/flow/test_rebalance.py"),
    ),
    Bug(
        "take an answer of another length",
        "an answer that was cut settles documents nobody answered for",
        "sink/core/outcome.py",
        "    return verdicts if len(verdicts) == documents else None\n",
        "    return (verdicts + [INDEXED] * documents)[:documents]\n",
        ("tests/core/test_outcome.py", "tests/core/test_answers.py"),
    ),
    Bug(
        "take an unknown status for success",
        "what Elasticsearch answers one day and nobody knows yet counts as indexed",
        "sink/core/outcome.py",
        '    return Verdict(Outcome.RETRY, error_type or f"status_{status}"',
        '    return INDEXED if status else Verdict(Outcome.RETRY, f"status_{status}"',
        ("tests/core/test_outcome.py", "tests/core/test_answers.py"),
    ),
    Bug(
        "commit what was lost",
        "the offset of a partition that another member owns goes back or passes its work",
        "sink/reading/ownership.py",
        "        self._forget(partitions)\n"
        '        self._log.warning("lost, what was in flight is read again"',
        "        self._give_back(partitions)\n"
        '        self._log.warning("lost, what was in flight is read again"',
        ("tests/flow/test_rebalance.py",),
    ),
    Bug(
        "settle work of an older epoch",
        "a late answer commits past records that the next owner has not done",
        "sink/core/offsets.py",
        "        if track is None or track.epoch != ticket.epoch:\n",
        "        if track is None:\n",
        (*_OFFSETS, "tests/flow/test_rebalance.py"),
    ),
    Bug(
        "send the refused documents again, all but the last",
        "one of many documents that were refused for the time being is nowhere",
        "sink/writing/writer.py",
        "            again = await self._defer(bulk, found, verdicts, refusals, progress)\n",
        "            again = (await self._defer(bulk, found, verdicts, refusals, progress))[:-1]\n",
        ("tests/flow/test_documents.py", "tests/flow/test_outages.py"),
    ),
    Bug(
        "settle what is set aside",
        "the offset passes documents that wait in memory for a blocked index",
        "sink/core/tally.py",
        "            self._aside[id(section.ticket)] += section.documents\n",
        "            self._aside[id(section.ticket)] += 0 * section.documents\n",
        ("tests/core/test_tally.py", *_PARKING),
    ),
    Bug(
        "name documents by topic instead of topic id",
        "records of a topic that was deleted and created again vanish as duplicates",
        "sink/reading/targets.py",
        "        return Target(topic, route, self._name(topic, told))\n",
        "        return Target(topic, route, topic)\n",
        ("tests/flow/test_topics.py",),
    ),
    Bug(
        "let raw newlines through",
        "a value breaks the framing of the bulk, and may inject an action",
        "sink/core/json_objects.py",
        "        if any(map(contains, values, repeat(_NEWLINE))):\n            return None\n",
        "        if any(map(contains, values, repeat(0))):\n            return None\n",
        ("tests/core/test_json_objects.py", "tests/collectors/test_log.py"),
    ),
    Bug(
        "date the index by the wall clock",
        "a replay after the end of a month writes every document a second time",
        "sink/core/target.py",
        "        times_ms = self._times_ms(documents, columns, alike=alike)\n",
        '        times_ms = [__import__("time").time_ns() // 10**6 for _ in records]\n',
        ("tests/core/test_target.py",),
    ),
)
