"""
Reads a bulk's body as Elasticsearch does.
"""

from collections import Counter, deque

import orjson


def operations(body: bytes) -> Counter[str]:
    """
    Count the operations of a bulk's body as Elasticsearch would read them: line by line.
    """
    lines = deque(body.split(b"\n")[:-1])
    counts: Counter[str] = Counter()
    while lines:
        (operation,) = orjson.loads(lines.popleft())
        counts[operation] += 1
        if operation != "delete":
            lines.popleft()
    return counts
