"""
Carries out a replay: with what it sends through, and written down in the trail.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from sink import __version__
from sink.config import Config
from sink.core.route import route_of
from sink.edge.kafka.admin import Brokers
from sink.edge.kafka.dead_letters import DeadLetters
from sink.edge.kafka.letter_topics import ensure_topics
from sink.operations.report import Report
from sink.operations.resend import Sending
from sink.operations.trail import Trail
from sink.routes import routes_of


class Replay(Protocol):
    """
    What can be carried out: a `DeadLetterReplay` or a `TopicReplay`.
    """

    @property
    def report(self) -> Report: ...  # noqa: D102
    @property
    def records(self) -> int: ...  # noqa: D102
    def run(self, sending: Sending | None, progress: Callable[[int], None]) -> None: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Order:
    """
    What the operator asked for.

    Args:
        command: Its name, for the trail.
        arguments: For the trail.
        dry_run: Only find out what would be sent: nothing is written anywhere.
    """

    command: str
    arguments: Mapping[str, object]
    give_up_after_s: float
    dry_run: bool


def perform(
    replay: Replay,
    config: Config,
    brokers: Brokers,
    order: Order,
    progress: Callable[[int], None],
) -> None:
    """
    Carry out a replay. First it is written down that it begins, at last how it ended.

    Raises:
        Unauthorized, Unavailable: With the reason. What was sent until then is in the report.
    """
    if order.dry_run:
        replay.run(None, progress)
        return
    report, topic = replay.report, config.dead_letter_topic
    origin = {"version": __version__}
    letters = DeadLetters(config, topic, letter_bytes_max(config, brokers), origin, stubs=False)
    trail = Trail(letters, topic, order.command, arguments=order.arguments, result=report.fates)
    with Sending(config, report, order.give_up_after_s) as sending, trail:
        replay.run(sending, progress)


def letter_bytes_max(config: Config, brokers: Brokers) -> int:
    """
    Make the dead-letter topic where there is none yet, and tell how large its messages may be.

    Raises:
        Unauthorized, Unavailable: With the reason.
    """
    routes = routes_of(config)
    sources = [topic for topic in brokers.topics() if route_of(topic, routes)]
    return ensure_topics(config, brokers, sources)[config.dead_letter_topic]
