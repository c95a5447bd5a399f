"""
The workers of a process, each on a thread of its own.
"""

import threading
from collections.abc import Sequence

import structlog

from sink.core.ledger import Account, total
from sink.edge import threads
from sink.reading.worker import Worker
from sink.stop import Stop

log = structlog.get_logger()


class Crew:
    """
    Runs workers until they are to stop. The main thread owns it.
    """

    def __init__(self, workers: Sequence[Worker], stop: Stop) -> None:
        self._workers = workers
        self._stop = stop
        self._threads: dict[int, threading.Thread] = {}  # by the number of the worker

    def ensure(self) -> int:
        """
        Give a thread to each worker that has none, or whose thread ended before it was to stop.

        Returns:
            How many run.
        Raises:
            Unavailable: The system gives no thread: those that have one run all the same.
        """
        for number, worker in enumerate(self._workers):
            thread = self._threads.get(number)
            if thread is not None and thread.is_alive():
                continue
            if self._stop.requested():
                break
            if thread is not None:
                log.error("worker ended unexpectedly, it is run again", worker=number)
            self._threads[number] = threads.start(worker.run, f"worker-{number}")
        return len(self._threads)

    def account(self) -> Account:
        """
        Add up what the workers published.
        """
        return total([worker.account for worker in self._workers])

    def join(self) -> None:
        """
        Wait for the workers to end, until the deadline.
        """
        if len(self._threads) < len(self._workers):
            self._stop.left()  # nobody waits for a worker that never ran
        for thread in self._threads.values():
            thread.join(self._stop.remaining_s())
