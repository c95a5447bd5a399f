"""
`sink group`: tell where the consumer group stands, and set its offsets while it is stopped.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

from sink.config import Config
from sink.core.record import Partition
from sink.core.route import route_of
from sink.core.standing import Move, Plan, Standing, consequence, out_of_range
from sink.edge.kafka.groups import Groups
from sink.edge.kafka.reader import Reader, Span
from sink.errors import ConfigError
from sink.routes import routes_of

Goal = Literal["earliest", "latest"] | int | datetime


def show(config: Config) -> list[Standing]:
    """
    Tell where the group stands in every partition it reads or has committed.

    Raises:
        Unauthorized, Unavailable: With the reason.
    """
    groups = Groups(config.kafka)
    committed = groups.committed(config.kafka.group_id)
    members = {
        partition: str(member)
        for member in groups.members(config.kafka.group_id)
        for partition in member.partitions
    }
    there = groups.topics()
    topics = {*_read(config, there), *(partition.topic for partition in committed)}
    return [
        Standing(place, committed.get(place), begin, end, members.get(place, ""))
        for place, begin, end in _logs(config, topics)
    ]


def plan_seek(config: Config, topic: str, goal: Goal, number: int | None) -> Plan:
    """
    Plan to set the group's offsets of a topic.

    Args:
        goal: Where to: the log's begin or end, an offset, or the first record at or after a time.
        number: Of the one partition that is meant; None for all.
    Raises:
        ConfigError: The group does not read that topic, or it has no such partition.
        Unauthorized, Unavailable: With the reason.
    """
    groups = Groups(config.kafka)
    group = config.kafka.group_id
    _check_read(config, [topic], groups.topics())
    before = groups.committed(group)
    with Reader(config.kafka) as reader:
        if topic == config.parked_topic:
            raise ConfigError(
                f"topic {topic}: its offsets are the sink's own; what waits there would be "
                "skipped: use sink parked drop"
            )
        places = [p for p in reader.partitions(topic) if number in (None, p.number)]
        if not places:
            raise ConfigError(f"topic {topic} has no partition {number}")
        logs = reader.spans(places)
        timed = reader.spans(places, goal) if isinstance(goal, datetime) else logs
    goals = [_goal(goal, log, at) for log, at in zip(logs, timed, strict=True)]
    moves = [
        _move(log, before.get(log.partition), after) for log, after in zip(logs, goals, strict=True)
    ]
    beyond = [log for log, after in zip(logs, goals, strict=True) if after > log.end]
    obstacles = [f"{_told(log.partition)} ends at {log.end}" for log in beyond]
    return Plan(group, moves, _in_use(groups, group) + obstacles)


def plan_import(
    config: Config, other: str, topics: Sequence[str] = (), *, overwrite: bool = False
) -> Plan:
    """
    Plan to take over the offsets that another group committed in the topics of the routes.

    Args:
        topics: Only these; all when empty.
        overwrite: Offsets that our group has already as well.
    Raises:
        ConfigError: The other group is ours, or no route reads one of the topics.
        Unauthorized, Unavailable: With the reason.
    """
    group = config.kafka.group_id
    if other == group:
        raise ConfigError(f"{group} is kafka.group_id itself: name the group to take over from")
    groups = Groups(config.kafka)
    there = groups.topics()
    _check_read(config, topics, there)
    theirs, ours = groups.committed(other), groups.committed(group)
    wanted = {*(topics or _read(config, there))} - {config.parked_topic}
    moves = [
        _taken(log, ours.get(log.partition), theirs.get(log.partition), other)
        for log in _logs(config, wanted)
    ]
    held = [move for move in moves if move.before is not None and move.is_change]
    obstacles = _in_use(groups, group) + _in_use(groups, other)
    if not any(partition.topic in wanted for partition in theirs):
        obstacles.append(f"group {other} has committed nothing in the topics of the routes")
    if held and not overwrite:
        first = _told(held[0].partition)
        obstacles.append(
            f"group {group} has offsets of its own in {len(held)} partitions, as {first}: "
            "--overwrite sets them"
        )
    left_out = {partition.topic for partition in theirs} - {*_read(config, there)}
    return Plan(group, moves, obstacles, [] if topics else sorted(left_out))


def apply(config: Config, plan: Plan) -> None:
    """
    Set the offsets of a plan without obstacles.

    Raises:
        GroupInUse: The group has members meanwhile.
        Unauthorized, Unavailable: With the reason.
    """
    assert not plan.obstacles
    if plan.offsets:
        Groups(config.kafka).commit(plan.group, plan.offsets)


def _read(config: Config, there: Iterable[str]) -> list[str]:
    """
    Pick the topics that the group reads.
    """
    routes = routes_of(config)
    return [t for t in there if t == config.parked_topic or route_of(t, routes) is not None]


def _check_read(config: Config, topics: Iterable[str], there: Iterable[str]) -> None:
    unread = set(topics) - {*_read(config, there)}
    if unread:
        raise ConfigError(f"no route reads {', '.join(sorted(unread))}, or it is not there")


def _logs(config: Config, topics: Iterable[str]) -> list[Span]:
    with Reader(config.kafka) as reader:
        places = [place for topic in sorted(topics) for place in reader.partitions(topic)]
        return reader.spans(places)


def _in_use(groups: Groups, group: str) -> list[str]:
    """
    Say who keeps the offsets of a group from being set, or goes on moving them.
    """
    members = sorted({str(member) for member in groups.members(group)})
    if not members:
        return []
    return [f"group {group} is running, stop it first; its members: {', '.join(members)}"]


def _goal(goal: Goal, log: Span, timed: Span) -> int:
    if isinstance(goal, datetime):
        return timed.begin
    if isinstance(goal, int):
        return max(goal, log.begin)
    return log.begin if goal == "earliest" else log.end


def _move(log: Span, before: int | None, after: int) -> Move:
    return Move(log.partition, before, after, consequence(before, log.begin, after))


def _taken(log: Span, before: int | None, theirs: int | None, other: str) -> Move:
    if theirs is None:
        return Move(log.partition, before, None, f"no offset of {other}")
    why = out_of_range(theirs, log.begin, log.end) or consequence(before, log.begin, theirs)
    return Move(log.partition, before, theirs, why)


def _told(partition: Partition) -> str:
    return f"{partition.topic}/{partition.number}"
