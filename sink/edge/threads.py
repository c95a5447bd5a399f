"""
Starting threads: where the system gives none, that is said, and tried again by who can wait.
"""

import threading
from collections.abc import Callable

from sink.errors import Unavailable


def start(run: Callable[[], object], name: str) -> threading.Thread:
    """
    Run something on a thread of its own, which does not hold up the end of the process.

    Raises:
        Unavailable: The system gives no thread.
    """
    thread = threading.Thread(target=run, name=name, daemon=True)
    try:
        thread.start()
    except RuntimeError as failure:
        raise Unavailable(
            f"thread {name}: {failure}; raise what limits threads (ulimit -u, TasksMax=, pids.max) "
            "or memory (ulimit -v)"
        ) from failure
    return thread
