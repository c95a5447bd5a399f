"""
Run as a script: becomes the engine, and dies with the process that started it.

A script of its own because Python code between fork and exec (preexec_fn) may deadlock in a process
that has threads, and whoever runs engines has librdkafka's.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # prctl(2), linux/prctl.h


def main() -> None:
    """
    Ask the kernel for SIGKILL at the parent's end, then become the command.

    On the command line: the parent's pid, the command.
    """
    parent, *command = sys.argv[1:]
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    # It may have died before we asked; then nobody would ever end us.
    if os.getppid() != int(parent):
        sys.exit(f"{command[0]}: not started, process {parent} is gone")
    os.execv(command[0], command)  # noqa: S606 - no shell is the point


if __name__ == "__main__":
    main()
