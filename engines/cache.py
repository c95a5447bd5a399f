"""
The cache folder: what was fetched or built once, used by every engine from then on.

A folder in it is whole or absent, also when a fetch is killed or two run at the same time.
"""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from engines.errors import EngineError

_MARK = ".complete"


def cache_dir() -> Path:
    """
    Find the cache: $ENGINES_CACHE, else ~/.cache/engines.
    """
    return Path(os.environ.get("ENGINES_CACHE") or "~/.cache/engines").expanduser().absolute()


def cached(name: str, build: Callable[[Path], None]) -> Path:
    """
    Take a folder from the cache, or build it first.

    Args:
        name: Of the folder. A changed recipe needs another name.
        build: Fills the empty folder it is given. Its errors pass through and leave nothing behind.
    Raises:
        EngineError: A folder of that name is there, but is not whole.
    """
    folder = cache_dir() / name
    if not (folder / _MARK).exists():
        _say(f"{name}: fetching into {folder.parent} ...")
        began = time.monotonic()
        _build_aside(folder, build)
        _say(f"{name}: ready after {time.monotonic() - began:.0f} s")
    return folder


def _build_aside(folder: Path, build: Callable[[Path], None]) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        build(aside)
        (aside / _MARK).touch()
        _move(aside, folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)  # moved away already when all went well


def _move(aside: Path, folder: Path) -> None:
    try:
        aside.rename(folder)
    except OSError as failure:
        # Somebody else was faster: theirs is as good as ours.
        if not (folder / _MARK).exists():
            raise EngineError(
                f"{folder} is in the way and is not whole ({failure}): delete it and try again"
            ) from failure


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
