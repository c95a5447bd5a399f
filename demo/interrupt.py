"""
Ctrl-C: the first asks the demo to end in order, the second ends it at once.
"""

import os
import signal
import time
from collections.abc import Callable

from demo.errors import DemoError, Interrupted

EXIT_INTERRUPTED = 130
# A shell, `timeout` or make may deliver one wish twice: to the process and to its group.
_SAME_WISH_S = 0.5
_POLL_S = 0.05


class Interrupt:
    """
    What the person at the terminal wants. A flag and no Event: a handler must take no lock.
    """

    def __init__(self) -> None:
        self.asked = False
        self._at = 0.0

    def on_signals(self) -> None:
        """
        Listen for SIGINT and SIGTERM from now on.
        """
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._heard)

    def check(self) -> None:
        """
        Raise when asked.

        Raises:
            Interrupted: Nothing was produced yet, so there is nothing to end in order.
        """
        if self.asked:
            raise Interrupted

    def until(self, condition: Callable[[], bool], timeout_s: float, what: str) -> None:
        """
        Wait for something that has to come before the first record.

        Raises:
            DemoError: It did not come in time.
            Interrupted: Asked meanwhile.
        """
        deadline = time.monotonic() + timeout_s
        while not condition():
            self.check()
            if time.monotonic() > deadline:
                raise DemoError(f"waited {timeout_s:g} s for {what}")
            time.sleep(_POLL_S)

    def _heard(self, *_: object) -> None:
        now = time.monotonic()
        if not self.asked:
            self.asked, self._at = True, now
        elif now - self._at > _SAME_WISH_S:
            os.write(2, b"\nended at once; nothing was judged\n")
            # The kernel kills engines and sink with this process, see engines/child.py.
            os._exit(EXIT_INTERRUPTED)
