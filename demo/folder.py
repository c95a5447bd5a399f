"""
The folder of a demo: data of the engines, the sink's configuration, everybody's logs.
"""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from demo.errors import DemoError

_LOCK = "demo.lock"
_OURS = ("kafka", "elasticsearch", "sink.toml", "sink.log", "python.log", "go.log", "java.log")


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """
    Have a folder for one demo alone, without what the last one left.

    Raises:
        DemoError: Another demo runs on it, or it holds something else.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = folder / _LOCK
    if not lock.exists() and any(folder.iterdir()):
        raise DemoError(f"{folder} holds something else than a demo: choose another --folder")
    with lock.open("a") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as failure:
            raise DemoError(
                f"a demo runs already on {folder}: end it with Ctrl-C, or give this one a folder "
                f"of its own, .venv/bin/python -m demo --folder {folder}-2"
            ) from failure
        for name in _OURS:
            _remove(folder / name)
        yield


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def shown(path: Path) -> str:
    """
    Write a path as short as it can be typed here.
    """
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
