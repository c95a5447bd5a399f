"""
The running account of every document, by topic and fate.

    consumed = indexed + repaired + duplicate + dead + dropped(rule) + expired + parked + in flight

A record that gives no document counts as one. One worker thread owns a ledger; others read what it
publishes.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

CONSUMED = "consumed"
IN_FLIGHT = "in_flight"
EXPIRED = "expired"
REPAIRED = "repaired"  # indexed, with a field that no mapping took put beside as text
PARKED = "parked"  # handed to the parked topic, acknowledged; that topic has an account of its own
DROPPED = "dropped:"  # followed by the rule
# Followed by what the index is instead of the one that was meant: undated, unknown, overflow. Such
# documents have a fate besides.
DISPLACED = "displaced:"

Account = Mapping[tuple[str, str], int]  # (topic, fate) → documents


class Ledger:
    """
    Counts the documents of one worker, by topic and fate.
    """

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()

    def consumed(self, topic: str, documents: int, dropped: Mapping[str, int]) -> None:
        """
        Enter what one run of records gave.

        Args:
            documents: That are on their way, the ones to be dead-lettered included.
            dropped: rule → records that give no document.
        """
        counts = self._counts
        counts[topic, CONSUMED] += documents + sum(dropped.values())
        counts[topic, IN_FLIGHT] += documents
        for rule, records in dropped.items():
            counts[topic, DROPPED + rule] += records

    def settled(self, fates: Mapping[tuple[str, str], int]) -> None:
        """
        Enter what became of documents that were on their way: (topic, fate) → documents.
        """
        counts = self._counts
        for (topic, fate), documents in fates.items():
            counts[topic, fate] += documents
            if not fate.startswith(DISPLACED):
                counts[topic, IN_FLIGHT] -= documents

    def displaced(self, topic: str, displaced: Mapping[str, int]) -> None:
        """
        Enter documents that go to another index than the one that was meant, by which.
        """
        for what, documents in displaced.items():
            self._counts[topic, DISPLACED + what] += documents

    def unread(self, topic: str, documents: int) -> None:
        """
        Take documents back that were polled and never handed over: they are read again.
        """
        self._counts[topic, CONSUMED] -= documents
        self._counts[topic, IN_FLIGHT] -= documents

    def expired(self, topic: str, records: int) -> None:
        """
        Enter records that retention deleted before they were read.
        """
        self._counts[topic, CONSUMED] += records
        self._counts[topic, EXPIRED] += records

    def publish(self) -> Account:
        """
        Give a copy for other threads to read.
        """
        return dict(self._counts)


def total(accounts: Iterable[Account]) -> Account:
    """
    Add up the accounts of several workers.
    """
    summed: Counter[tuple[str, str]] = Counter()
    for account in accounts:
        summed.update(account)
    return summed


def imbalance(account: Account) -> dict[str, int]:
    """
    Tell by topic how many consumed documents have no fate. Empty when the account is right.
    """
    gap: Counter[str] = Counter()
    for (topic, fate), documents in account.items():
        if fate.startswith(DISPLACED):
            continue
        gap[topic] += documents if fate == CONSUMED else -documents
    return {topic: missing for topic, missing in gap.items() if missing}
