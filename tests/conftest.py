"""
What holds for every test.
"""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

_JOIN_TIMEOUT_S = 5.0


@pytest.fixture(autouse=True)
def no_thread_is_left_behind() -> Iterator[None]:
    """
    Fail a test that leaves threads: they hold up the end of the process, here as at a user's.

    Daemon threads are let be, for libraries keep such for good.
    """
    before = set(threading.enumerate())
    yield
    new = [thread for thread in threading.enumerate() if thread not in before and not thread.daemon]
    for thread in new:
        thread.join(_JOIN_TIMEOUT_S)
    left = [thread.name for thread in new if thread.is_alive()]
    if left:
        pytest.fail(f"threads still run after the test: {', '.join(left)}", pytrace=False)


@pytest.fixture
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """
    Work in an empty folder, without the sink's variables of this machine.
    """
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.upper().startswith("SINK__"):
            monkeypatch.delenv(name)
    return tmp_path
