"""
The next day's index is made before its day, by a sink whose clock says that it is late.
"""

import os
import urllib.error
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest

from tests.engines.oracle import ask
from tests.engines.producing import create_topics, produce
from tests.engines.running import Setup, SinkProcess
from tests.faults.false_clock import set_clock, under_a_false_clock
from tests.waiting import wait_until

# Each index is due when the last minute of its period begins.
_BEFORE_MIDNIGHT_S = 55


class _Daily(Setup):
    """Topics that the first route does not take."""

    def topic(self, user_topic: str) -> str:
        return f"{self.name}.{user_topic}"

    def route(self, name: str, more: str = "") -> str:
        index = f'{{ name = "{self.name}-{name}-%Y.%m.%d"{more} }}'
        return f'[[routes]]\nname = "{name}"\ntopics = ["{self.topic(name)}"]\nindex = {index}\n'

    def index(self, name: str, day: datetime) -> str:
        return f"{self.name}-{name}-{day:%Y.%m.%d}"

    def settings_of(self, index: str) -> dict[str, Any]:
        """Nothing where there is no such index."""
        try:
            return dict(ask(self, "GET", f"/{index}/_settings")[index]["settings"]["index"])
        except urllib.error.HTTPError as failure:
            if failure.code != 404:
                raise
            return {}


@pytest.mark.timeout(120)
def test_the_index_of_the_next_day_is_there_before_its_first_document(setup: Setup) -> None:
    daily = _Daily(setup.kafka, setup.elasticsearch, setup.folder, setup.name)
    daily.settings["more"] = daily.route("a") + daily.route("late", ", create_ahead = false")
    create_topics(daily, {"a": 1, "late": 1})
    # Yesterday, for brokers refuse records of the future.
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    evening = midnight - timedelta(seconds=_BEFORE_MIDNIGHT_S)
    clock = daily.folder / "ahead_s"
    set_clock(clock, 0)
    with patch.dict(os.environ, under_a_false_clock(clock)):
        sink = SinkProcess(daily)
    with sink:
        sink.until_ready()
        for name in ("late", "a"):
            set_clock(clock, round((evening - datetime.now(UTC)).total_seconds()))
            produce(daily, name, [b'{"n":1}'], timestamp=round(evening.timestamp() * 1000))
            wait_until(lambda: daily.settings_of(daily.index(name, evening)), 40, "yesterday's")  # noqa: B023
        ahead = daily.index("a", midnight)
        made = wait_until(lambda: daily.settings_of(ahead), 20, "today's index")
        (line,) = wait_until(lambda: sink.events("index made ahead of time"), 20, "its line")
        assert line["index"] == ahead
        assert datetime.fromisoformat(line["timestamp"]) < midnight, "by the sink's clock"
        assert made["codec"] == "best_compression", "as its template says"
        assert ask(daily, "GET", f"/{ahead}/_count")["count"] == 0
        assert not daily.settings_of(daily.index("late", midnight))

        produce(daily, "a", [b'{"n":2}'], timestamp=round(midnight.timestamp() * 1000))
        wait_until(lambda: _counts(sink, daily.topic("a")) == 2, 20, "the first of the day")
        assert sink.terminate() == 0
    ask(daily, "POST", f"/{ahead}/_refresh")
    assert ask(daily, "GET", f"/{ahead}/_count")["count"] == 1
    assert daily.settings_of(ahead)["uuid"] == made["uuid"]


def _counts(sink: SinkProcess, topic: str) -> int:
    return sink.ledger().get(topic, {}).get("indexed", 0)
