"""
Asks the status port of a running daemon what it has in memory.
"""

import json
from http.client import HTTPConnection, HTTPException

from sink.config import StatusSettings
from sink.core.lane import ParkedIndex
from sink.errors import Unavailable

_TIMEOUT_S = 2.0
# An address that means every one when listened on means none when connected to.
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def parked_in_memory(settings: StatusSettings) -> list[ParkedIndex]:
    """
    Ask the daemon of this configuration which indices it has parked.

    Raises:
        Unavailable: It does not answer, or not as a sink of this version does.
    """
    if not settings.port:
        raise Unavailable("status.port is 0, so nobody knows which one it took")
    place = f"{settings.host}:{settings.port}"
    host = _ANY.get(settings.host, settings.host)
    connection = HTTPConnection(host, settings.port, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", "/parked")
        answer = connection.getresponse()
        told = answer.read()
        if answer.status != 200:
            raise Unavailable(f"{place} answers /parked with {answer.status}")
        return [ParkedIndex(**each) for each in json.loads(told)]
    except (OSError, HTTPException) as failure:
        raise Unavailable(f"{place} does not answer: {failure}") from failure
    except (ValueError, TypeError) as failure:
        raise Unavailable(f"{place} answers /parked as no sink of this version does") from failure
    finally:
        connection.close()
