"""
Which offset may be committed, by example. `test_offsets_properties` holds it against a model.
"""

import pytest

from sink.core.offsets import OffsetTracker, SettledTwice
from sink.core.record import Partition

ORDERS = Partition("orders", 0)
BILLS = Partition("bills", 3)


@pytest.fixture
def tracker() -> OffsetTracker:
    tracker = OffsetTracker()
    tracker.assign(ORDERS)
    return tracker


def test_before_anything_is_settled_only_the_beginning_is_committable(
    tracker: OffsetTracker,
) -> None:
    """
    Committed at once, it tells after a restart what retention deleted meanwhile.
    """
    tracker.track(ORDERS, 10, 20, 1)

    assert tracker.committable() == {ORDERS: 10}


def test_where_it_was_sought_to_nothing_is_committable_before_anything_is_settled(
    tracker: OffsetTracker,
) -> None:
    """
    The offset it was sought to is committed, or behind what is.
    """
    tracker.assign(ORDERS, 10)

    tracker.track(ORDERS, 12, 20, 1)

    assert tracker.committable() == {}


def test_a_run_settled_early_waits_for_the_one_before_it(tracker: OffsetTracker) -> None:
    first = tracker.track(ORDERS, 10, 20, 1)
    second = tracker.track(ORDERS, 20, 25, 1)

    tracker.settle(second)
    assert tracker.committable() == {ORDERS: 10}

    tracker.settle(first)
    assert tracker.committable() == {ORDERS: 25}


def test_a_run_is_settled_with_the_last_of_its_parts(tracker: OffsetTracker) -> None:
    ticket = tracker.track(ORDERS, 0, 5, 2)

    tracker.settle(ticket)
    assert tracker.committable() == {ORDERS: 0}

    tracker.settle(ticket)
    assert tracker.committable() == {ORDERS: 5}


def test_records_that_gave_no_document_are_passed_at_once(tracker: OffsetTracker) -> None:
    tracker.track(ORDERS, 0, 5, 0)

    assert tracker.committable() == {ORDERS: 5}


def test_a_gap_in_the_offsets_holds_nothing_up(tracker: OffsetTracker) -> None:
    tracker.settle(tracker.track(ORDERS, 0, 5, 1))
    tracker.settle(tracker.track(ORDERS, 900, 905, 1))

    assert tracker.committable() == {ORDERS: 905}


def test_one_partition_never_waits_for_another(tracker: OffsetTracker) -> None:
    tracker.assign(BILLS)
    tracker.track(ORDERS, 0, 5, 1)
    tracker.settle(tracker.track(BILLS, 0, 7, 1))

    assert tracker.committable() == {ORDERS: 0, BILLS: 7}
    assert tracker.unsettled([ORDERS]) == 1
    assert tracker.unsettled([BILLS]) == 0
    assert tracker.unsettled() == 1


def test_what_was_committed_is_not_committed_again(tracker: OffsetTracker) -> None:
    tracker.settle(tracker.track(ORDERS, 0, 5, 1))

    tracker.committed(tracker.committable())

    assert tracker.committable() == {}


def test_a_refused_commit_is_committable_again(tracker: OffsetTracker) -> None:
    tracker.settle(tracker.track(ORDERS, 0, 5, 1))
    tracker.committed({ORDERS: 5})

    tracker.uncommitted([ORDERS])

    assert tracker.committable() == {ORDERS: 5}


def test_work_from_before_a_rebalance_moves_nothing_after_it(tracker: OffsetTracker) -> None:
    """
    The partition was read again from its committed offset: what the old work settles is not what
    the new epoch still has under way.
    """
    old = tracker.track(ORDERS, 0, 5, 1)
    tracker.drop(ORDERS)
    tracker.assign(ORDERS)
    new = tracker.track(ORDERS, 0, 5, 1)

    assert tracker.settle(old) is False
    assert tracker.committable() == {ORDERS: 0}

    assert tracker.settle(new) is True
    assert tracker.committable() == {ORDERS: 5}


def test_work_of_a_partition_that_is_gone_is_ignored(tracker: OffsetTracker) -> None:
    ticket = tracker.track(ORDERS, 0, 5, 1)
    tracker.drop(ORDERS)

    assert tracker.settle(ticket) is False
    assert tracker.committable() == {}
    assert not tracker.owns(ORDERS)


def test_settling_more_parts_than_there_are_is_a_bug_and_says_so(tracker: OffsetTracker) -> None:
    ticket = tracker.track(ORDERS, 0, 5, 1)
    tracker.settle(ticket)

    with pytest.raises(SettledTwice, match="orders"):
        tracker.settle(ticket)


def test_a_run_without_records_is_refused(tracker: OffsetTracker) -> None:
    """
    It would hold up what comes behind it, and nothing would ever settle it.
    """
    with pytest.raises(AssertionError):
        tracker.track(ORDERS, 5, 5, 1)


def test_settling_twice_is_noticed_also_when_the_partition_is_gone(tracker: OffsetTracker) -> None:
    ticket = tracker.track(ORDERS, 0, 5, 1)
    tracker.drop(ORDERS)
    tracker.settle(ticket)

    with pytest.raises(SettledTwice):
        tracker.settle(ticket)


def test_the_next_expected_offset_follows_the_last_tracked_run(tracker: OffsetTracker) -> None:
    assert tracker.expected(ORDERS) is None

    tracker.track(ORDERS, 5, 9, 1)
    assert tracker.expected(ORDERS) == 9

    tracker.assign(ORDERS)
    assert tracker.expected(ORDERS) is None


def test_records_read_a_second_time_in_one_epoch_are_refused(tracker: OffsetTracker) -> None:
    """
    Going back without a new epoch would let the settled prefix shrink under what is committed.
    """
    tracker.track(ORDERS, 0, 5, 1)

    with pytest.raises(AssertionError):
        tracker.track(ORDERS, 4, 9, 1)


def test_nothing_is_expected_of_a_partition_that_is_another_workers(
    tracker: OffsetTracker,
) -> None:
    assert tracker.expected(BILLS) is None
    assert tracker.epoch(BILLS) is None


def test_each_assignment_is_an_epoch_of_its_own(tracker: OffsetTracker) -> None:
    first = tracker.epoch(ORDERS)
    tracker.drop(ORDERS)
    assert tracker.epoch(ORDERS) is None

    tracker.assign(ORDERS)

    assert tracker.epoch(ORDERS) not in (None, first)


def test_it_is_read_again_from_the_first_record_that_is_not_settled(
    tracker: OffsetTracker,
) -> None:
    assert tracker.read_again(ORDERS) is None, "nothing was read yet"
    tracker.settle(tracker.track(ORDERS, 0, 5, 1))
    assert tracker.read_again(ORDERS) is None, "all is settled"
    waiting = tracker.track(ORDERS, 5, 9, 1)
    tracker.track(ORDERS, 9, 12, 1)

    assert tracker.read_again(ORDERS) == 5

    assert tracker.expected(ORDERS) == 5, "what retention deletes from there on is missing"
    assert tracker.settle(waiting) is False, "its records are read a second time"
    assert tracker.track(ORDERS, 5, 9, 1).first == 5


def test_an_end_behind_the_last_record_is_committable_once_all_before_it_is_settled(
    tracker: OffsetTracker,
) -> None:
    ticket = tracker.track(ORDERS, 0, 5, 1)

    tracker.passed(ORDERS, 7)
    assert tracker.committable() == {ORDERS: 0}

    tracker.settle(ticket)
    assert tracker.committable() == {ORDERS: 7}


def test_an_end_right_behind_the_last_record_adds_nothing(tracker: OffsetTracker) -> None:
    tracker.track(ORDERS, 0, 5, 1)

    tracker.passed(ORDERS, 5)

    assert tracker.unsettled() == 1
    assert tracker.expected(ORDERS) == 5


def test_it_is_told_whether_anything_was_passed(tracker: OffsetTracker) -> None:
    assert [tracker.passed(ORDERS, end) for end in (40, 40, 41, 7)] == [True, False, True, False]


def test_a_log_without_any_record_is_passed_to_its_end(tracker: OffsetTracker) -> None:
    tracker.passed(ORDERS, 40)

    assert tracker.committable() == {ORDERS: 40}


def test_an_empty_log_gives_nothing_to_commit(tracker: OffsetTracker) -> None:
    tracker.passed(ORDERS, 0)

    assert tracker.committable() == {}
