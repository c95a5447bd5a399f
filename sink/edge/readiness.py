"""
Whether the daemon is ready, and if not why: told by the workers, the writer and the start.
"""

import threading

import structlog

log = structlog.get_logger()


class Readiness:
    """
    The reasons for not being ready, by the part that gave them. Any thread may call it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards _reasons
        self._reasons: dict[str, str] = {}

    def lacks(self, part: str, reason: str) -> None:
        """
        Note that a part is not ready. The same reason again is no news and is not logged.
        """
        with self._lock:
            news = self._reasons.get(part) != reason
            self._reasons[part] = reason
        if news:
            log.warning("not ready", part=part, reason=reason)

    def has(self, part: str) -> None:
        """
        Note that a part is ready.
        """
        with self._lock:
            reason = self._reasons.pop(part, None)
        if reason is not None:
            log.info("ready again", part=part, was=reason)

    def reasons(self) -> dict[str, str]:
        """
        Give the reasons by part; empty when ready.
        """
        with self._lock:
            return dict(self._reasons)
