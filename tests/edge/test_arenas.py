"""
The heaps of the C library: asked of a process of its own, for they stay as they are.
"""

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import pytest

_SCRIPT = """
import ctypes, sys, threading
from sink.edge import arenas
arenas.bound()
together = threading.Barrier(12)
def hold():
    held = [bytes(2_000) for _ in range(100)]
    together.wait()
    together.wait()
threads = [threading.Thread(target=hold) for _ in range(11)]
for thread in threads: thread.start()
together.wait()
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
file = ctypes.c_void_p(libc.fopen(sys.argv[1].encode(), b"w"))
libc.malloc_info(0, file)
libc.fclose(file)
together.wait()
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="the C library has no arenas")
@pytest.mark.parametrize(("given", "most"), [({}, 2), ({"MALLOC_ARENA_MAX": "5"}, 5)])
def test_threads_share_few_heaps_unless_the_operator_said_how_many(
    given: dict[str, str], most: int, tmp_path: Path
) -> None:
    told = tmp_path / "told.xml"
    environment = {k: v for k, v in os.environ.items() if k != "MALLOC_ARENA_MAX"} | given

    subprocess.run([sys.executable, "-c", _SCRIPT, str(told)], check=True, env=environment)

    assert told.read_text().count("<heap nr=") == most
