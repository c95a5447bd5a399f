"""
How hypothesis draws schedules. What is simpler comes first: towards that a broken one is shrunk.
"""

from hypothesis import strategies as st

from tests.simulation.schedule import Moment, Schedule
from tests.simulation.setup import Setup
from tests.simulation.steps import (
    INDICES,
    JANUARY,
    REFUSALS,
    REPLIES,
    VALUES,
    AddTopic,
    Answer,
    Block,
    BreakConsumer,
    Crash,
    Freeze,
    LeaveAGap,
    Letters,
    Outage,
    Produce,
    Rebalance,
    RefuseCommits,
    RefuseDocuments,
    RefuseTopicIds,
    Release,
    Restart,
    Silence,
    Slow,
    Step,
    Unblock,
)
from tests.simulation.world import PARTITIONS, TOPICS

_topics = st.sampled_from(TOPICS)
_partitions = st.integers(0, PARTITIONS - 1)
_indices = st.sampled_from([*JANUARY, *INDICES])
_refusals = st.sampled_from(sorted(REFUSALS))
_replies = st.sampled_from(sorted(REPLIES))
_kinds: st.SearchStrategy[str | None] = st.sampled_from(
    ["json", "json", "json", *(kind for kind in VALUES if kind != "json"), None]
)
_members = st.integers(0, 3)
_processes = st.integers(0, 1)


_PRODUCED = st.builds(
    Produce,
    st.sampled_from([*TOPICS, *TOPICS, "ekk-later"]),
    _partitions,
    st.sampled_from(["january", "january", "february"]),
    st.lists(_kinds, min_size=1, max_size=16).map(tuple),
)
_FAULTS: st.SearchStrategy[Step] = st.one_of(
    st.builds(LeaveAGap, _topics, _partitions, st.integers(1, 3)),
    st.builds(Block, _indices, _refusals),
    st.builds(Block, _indices, _refusals),
    st.builds(Unblock, _indices),
    st.builds(RefuseDocuments, st.integers(1, 8), _refusals),
    st.builds(Answer, st.lists(_replies, min_size=1, max_size=4).map(tuple), st.booleans()),
    st.builds(Outage, st.none() | st.sampled_from(["503", "429", "500", "none", "401", "late"])),
    st.builds(Silence, st.none() | _indices),
    st.builds(Slow, st.sampled_from([50, 1_000, 4_000])),
    st.builds(Letters, st.booleans(), st.sampled_from(["down", "cut"])),
    st.builds(Letters, st.booleans(), st.sampled_from(["down", "cut", "up"])),
    st.builds(Release, _indices | st.just("*")),
    st.builds(RefuseCommits, st.integers(1, 3)),
    st.builds(RefuseTopicIds, st.integers(1, 3)),
    st.builds(AddTopic, st.just("ekk-later")),
    st.builds(Rebalance, _members, st.sampled_from(["move", "lose", "back"])),
    st.builds(Rebalance, _members, st.sampled_from(["back", "lose"])),
    st.builds(BreakConsumer, _members),
    st.builds(Freeze, _processes, st.sampled_from([500, 8_000, 25_000])),
    st.builds(Crash, _processes, st.sampled_from([0, 500, 15_000])),
    st.builds(Restart, _processes),
)


@st.composite
def _moments(draw: st.DrawFn) -> Moment:
    """
    Draw records as often as a fault: a fault that no record meets shows nothing.
    """
    step = draw(_FAULTS) if draw(st.booleans()) else draw(_PRODUCED)
    return Moment(step, draw(st.sampled_from([500, 0, 20, 100, 2_000, 8_000, 45_000])))


SETUPS = st.builds(
    Setup,
    processes=st.integers(1, 2),
    threads=st.integers(1, 2),
    places=st.sampled_from([2, 1]),
    docs_max=st.sampled_from([5, 1, 3]),
    park_bytes_max=st.sampled_from([1_000_000, 2_000, 0]),
    park_ms_max=st.sampled_from([86_400_000, 5_000, 1]),
    rate_max=st.sampled_from([None, None, 20]),
)
# hypothesis makes lists of six or so: two of them are long enough for faults to meet.
_SOME = st.lists(_moments(), min_size=1, max_size=20).map(tuple)
SCHEDULES = st.builds(
    Schedule,
    setup=SETUPS,
    seed=st.integers(0, 2**16),
    moments=st.builds(lambda some, more: some + more, _SOME, _SOME),
)
