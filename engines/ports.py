"""
TCP ports on loopback: finds free ones, tells whether one is taken.
"""

import random
import socket
from contextlib import ExitStack
from pathlib import Path

HOST = "127.0.0.1"
_LOWEST = 15_000
_TRIES = 1_000
# Of its own: tests seed the shared generator, and two runs would then fight for the same ports.
_RANDOM = random.SystemRandom()


def free_ports(count: int) -> list[int]:
    """
    Find ports that nobody listens on.

    They lie below the range from which the kernel takes the ports of outgoing connections: while an
    engine is down, a client that tries to reach it again and again could otherwise be given its
    port, connect to itself, and keep the engine from coming back.

    Raises:
        OSError: None found.
    """
    outgoing = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    # A machine may give out nearly all ports; then there is no room below.
    end = outgoing if outgoing > _LOWEST + _TRIES else 65_536
    found: list[int] = []
    with ExitStack() as held:
        for _ in range(_TRIES):
            port = _RANDOM.randrange(_LOWEST, end)
            listener = held.enter_context(socket.socket())
            if _bound(listener, port):
                found.append(port)
            if len(found) == count:
                return found
    raise OSError(f"no {count} free TCP ports between {_LOWEST} and {end}")


def taken(port: int) -> bool:
    """
    Tell whether an engine could not listen on the port.
    """
    with socket.socket() as listener:
        # As Java does: connections of an ended engine that wait in TIME_WAIT are no hindrance.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return not _bound(listener, port)


def _bound(listener: socket.socket, port: int) -> bool:
    try:
        listener.bind((HOST, port))
    except OSError:
        return False
    return True
