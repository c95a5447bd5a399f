"""
What may befall the sinks of a simulation: each step is data, drawn by hypothesis.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from sink.core.command import Command, Decision
from sink.core.outcome import Reply
from sink.testing import BUSY, NO_ANSWER, UNAUTHORIZED, UNAVAILABLE
from sink.testing.elastic import NO_ANSWER_IN_TIME
from tests.simulation.kafka import SimulatedSource
from tests.simulation.world import World

VALUES: dict[str, bytes] = {
    "json": b'{"n":%d}',
    "text": b"text %d",
    "array": b'[{"n":%d},{"m":0}]',
    "array of one that is none": b'[{"n":%d},5]',
    "refused": b'{"dead":%d}',
    "unclear": b'{"unclear":%d}',
    "array of one refused": b'[{"dead":%d},{"m":0}]',
}
MONTHS_MS = {"january": 1, "february": 31 * 86_400_000}
REPLIES: dict[str, Reply] = {
    "429": BUSY,
    "503": UNAVAILABLE,
    "401": UNAUTHORIZED,
    "none": NO_ANSWER,
    "late": NO_ANSWER_IN_TIME,
    "cut": Reply(200, b'{"errors":false,"items":[{"create":{"status":201}},{"crea'),
    "too few items": Reply(200, b'{"errors":false,"items":[]}'),
    "500": Reply(500, b"", "internal_server_error", "it went wrong"),
    "413": Reply(413),
}
REFUSALS = {
    "blocked": (403, "cluster_block_exception", "index [x] blocked by: [FORBIDDEN/8]"),
    "busy": (429, "es_rejected_execution_exception", "rejected execution"),
    "no shard": (503, "unavailable_shards_exception", "primary shard is not active"),
    "disk full": (500, "i_o_exception", "No space left on device"),
}
JANUARY = [f"sag-{topic}_1970-01-01" for topic in ("a", "b", "later")]
INDICES = [*JANUARY, "sag-a_1970-02-01", "sag-b_1970-02-01"]


class Step(ABC):
    """
    Something that befalls a world.
    """

    @abstractmethod
    def befall(self, world: World) -> None:
        """
        Do it.
        """


@dataclass(frozen=True)
class Produce(Step):
    """Records of these kinds are written; None is a tombstone."""

    topic: str
    partition: int
    month: str
    kinds: tuple[str | None, ...]

    def befall(self, world: World) -> None:
        values = [
            None if kind is None else VALUES[kind] % (world.produced + n)
            for n, kind in enumerate(self.kinds)
        ]
        world.produced += len(values)
        world.broker.produce(
            self.topic, *values, partition=self.partition, timestamp_ms=MONTHS_MS[self.month]
        )
        world.broker.group_changed()


@dataclass(frozen=True)
class LeaveAGap(Step):
    """Offsets are taken by no record, as markers of transactions do."""

    topic: str
    partition: int
    offsets: int

    def befall(self, world: World) -> None:
        for partition in world.broker.ends():
            if partition == (self.topic, self.partition):
                world.broker.skip(partition, self.offsets)


@dataclass(frozen=True)
class Block(Step):
    """An index refuses its documents."""

    index: str
    refusal: str

    def befall(self, world: World) -> None:
        world.elastic.block(self.index, *REFUSALS[self.refusal])


@dataclass(frozen=True)
class Unblock(Step):
    """An index takes documents again."""

    index: str

    def befall(self, world: World) -> None:
        world.elastic.unblock(self.index)


@dataclass(frozen=True)
class RefuseDocuments(Step):
    """The next documents are refused for the time being."""

    documents: int
    refusal: str

    def befall(self, world: World) -> None:
        world.elastic.refuse(b"", *REFUSALS[self.refusal], times=self.documents)


@dataclass(frozen=True)
class Answer(Step):
    """The next requests get these answers, whether they are done or not."""

    replies: tuple[str, ...]
    applied: bool

    def befall(self, world: World) -> None:
        world.elastic.answer(*(REPLIES[reply] for reply in self.replies), applied=self.applied)


@dataclass(frozen=True)
class Outage(Step):
    """Elasticsearch gives every request this answer; None ends it."""

    reply: str | None

    def befall(self, world: World) -> None:
        if self.reply is None:
            world.elastic.up()
        else:
            world.elastic.down(REPLIES[self.reply])


@dataclass(frozen=True)
class Silence(Step):
    """An index gives no answer; None ends it for all."""

    index: str | None

    def befall(self, world: World) -> None:
        if self.index is None:
            world.elastic.speak()
        else:
            world.elastic.silence(self.index)


@dataclass(frozen=True)
class Slow(Step):
    """Requests take up to so long, there and back each."""

    ms: int

    def befall(self, world: World) -> None:
        world.elastic.slowest_s = self.ms / 1000


@dataclass(frozen=True)
class Letters(Step):
    """The dead-letter topic or the parked topic goes down, or up again, or ends writes halfway."""

    parked: bool
    state: str

    def befall(self, world: World) -> None:
        letters = world.parked if self.parked else world.dead_letters
        states: dict[str, Callable[[], None]] = {"down": letters.down, "up": letters.up}
        if self.state == "cut":
            letters.way.cut += 1
        else:
            states[self.state]()


@dataclass(frozen=True)
class Release(Step):
    """An operator wants the parked documents of an index tried, whatever it said last."""

    index: str

    def befall(self, world: World) -> None:
        decision = Decision(Command.RELEASE, self.index)
        world.broker.produce(world.parked_topic, b"", headers=decision.headers())


@dataclass(frozen=True)
class RefuseCommits(Step):
    """The next commits are refused."""

    times: int

    def befall(self, world: World) -> None:
        world.broker.refuse_commits(self.times)


@dataclass(frozen=True)
class RefuseTopicIds(Step):
    """The next questions for topic ids get no answer."""

    times: int

    def befall(self, world: World) -> None:
        world.broker.refuse_topic_ids(self.times)


@dataclass(frozen=True)
class AddTopic(Step):
    """A topic is created that the sinks are subscribed to."""

    topic: str

    def befall(self, world: World) -> None:
        if not any(partition.topic == self.topic for partition in world.broker.ends()):
            world.broker.create_topic(self.topic)


@dataclass(frozen=True)
class Rebalance(Step):
    """A partition of a consumer is moved, all are lost to others, or one goes and comes back."""

    member: int
    way: str

    def befall(self, world: World) -> None:
        alive = world.broker.alive()
        if not alive:
            return
        source = alive[self.member % len(alive)]
        ways: dict[str, Callable[[SimulatedSource], None]] = {
            "move": world.broker.move,
            "lose": SimulatedSource.put_out,
            "back": world.broker.give_away_and_back,
        }
        ways[self.way](source)


@dataclass(frozen=True)
class BreakConsumer(Step):
    """The client of a consumer raises."""

    member: int

    def befall(self, world: World) -> None:
        alive = world.broker.alive()
        if alive:
            alive[self.member % len(alive)].fail(RuntimeError("the consumer broke"))


@dataclass(frozen=True)
class Freeze(Step):
    """A process stands still."""

    process: int
    ms: int

    def befall(self, world: World) -> None:
        running = world.running()
        if running:
            world.freeze(running[self.process % len(running)], self.ms)


@dataclass(frozen=True)
class Crash(Step):
    """A process is killed, and another is started in its place."""

    process: int
    down_ms: int

    def befall(self, world: World) -> None:
        slot = self.process % len(world.processes)
        world.crash(slot)
        world.scheduler.at(world.scheduler.now_s + self.down_ms / 1000, lambda: world.start(slot))


@dataclass(frozen=True)
class Restart(Step):
    """A process is stopped in order, and another is started in its place."""

    process: int

    def befall(self, world: World) -> None:
        slot = self.process % len(world.processes)
        world.stop(slot)
        world.start(slot)
