"""
The operator's wish to stop, and the moment by which it is fulfilled whatever happens.
"""

import contextlib
import os
import signal
import threading
import time

import structlog

from sink.edge import threads

log = structlog.get_logger()

# The process ends this long after the deadline even if a broker or a library hangs.
_GRACE_S = 0.5
EXIT_FORCED = 130
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_SAME_WISH_S = 0.5
# Kept of the time for committing and leaving the group: a member that vanishes blocks its
# partitions until its session ends.
_CLOSING_S = 2.0


class Stop:
    """
    Set once, by a signal; read by every thread.

    Args:
        timeout_ms: From the request to the deadline.
        workers: Threads that leave the group together.
    """

    def __init__(self, timeout_ms: int, workers: int = 1) -> None:
        self._leaving = threading.Barrier(workers)
        self._timeout_s = timeout_ms / 1000
        self._event = threading.Event()
        self._deadline = float("inf")  # written once, before the event is set

    def on_signals(self) -> None:
        """
        Obey SIGTERM and SIGINT: the first asks to stop, the second ends it at once.

        SIGHUP is one of them where a terminal that closes sends it. To a service it means "read
        your configuration again", and it must not end for that.

        Called before any other thread starts. A thread of its own waits for them: a handler would
        run on the main thread, and not while that is inside a library's blocking call. The same
        thread ends the process by the deadline: then there may be no other to be had.

        Raises:
            Unavailable: The system gives no thread.
        """
        obeyed = tuple(each for each in _SIGNALS if each != signal.SIGHUP or _terminal_may_close())
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        threads.start(lambda: self._listen(obeyed), "signals")

    def request(self) -> None:
        """
        Ask everything to stop.
        """
        self._deadline = time.monotonic() + self._timeout_s
        self._event.set()

    def requested(self) -> bool:
        """
        Tell whether to stop.
        """
        return self._event.is_set()

    def expired(self) -> bool:
        """
        Tell whether waiting for work in flight is over: what is left of the time is for commits.
        """
        return time.monotonic() > self._deadline - min(_CLOSING_S, self._timeout_s / 4)

    def remaining_s(self) -> float:
        """
        Give the seconds until the deadline, 0 when it has passed.
        """
        return max(0.0, self._deadline - time.monotonic())

    def leave_together(self) -> None:
        """
        Wait until every worker has committed, but not so long that leaving the group is late.

        The first that leaves begins a new generation of the group, and the last commits of the
        others would be refused.
        """
        with contextlib.suppress(threading.BrokenBarrierError):
            self._leaving.wait(max(0.0, self.remaining_s() - _CLOSING_S / 2))

    def left(self) -> None:
        """
        Let nobody wait for a worker that has ended.
        """
        self._leaving.abort()

    def wait(self, timeout_s: float) -> bool:
        """
        Wait for the request, at most so long. Tells whether it came.
        """
        return self._event.wait(timeout_s)

    def _listen(self, obeyed: tuple[signal.Signals, ...]) -> None:
        while signal.sigwait(_SIGNALS) not in obeyed:
            log.warning(
                "SIGHUP is ignored: a configuration is read at the start only, and the files of "
                "secrets after a refusal; restart the sink for another configuration"
            )
        self.request()
        ends_at = time.monotonic() + self._timeout_s + _GRACE_S
        # `timeout`, shells and supervisors deliver one wish twice: to the process and to its group.
        time.sleep(_SAME_WISH_S)
        while signal.sigtimedwait(obeyed, 0) is not None:
            pass
        again = signal.sigtimedwait(obeyed, max(0.0, ends_at - time.monotonic()))
        os._exit(0 if again is None else EXIT_FORCED)


def _terminal_may_close() -> bool:
    """
    Tell whether we have a terminal, and nobody said that we outlive it (nohup).
    """
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        return False
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True
