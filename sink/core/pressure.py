"""
Which refusals with 429 mean that a bulk is larger than a node takes, however little else it does.

Source: Elasticsearch 8.19 and 9.5, IndexingPressure.java: the message of the rejection, as in
tests/fixtures/answers.
"""

import re

from sink.core.outcome import Reply

_OPERATION = re.compile(r"\bcoordinating_operation_bytes=(\d+), max_coordinating\w*_bytes=(\d+)")


def exceeds_node(reply: Reply) -> bool:
    """
    Tell whether an idle node would refuse the bulk too: waiting does not help it, halving does.
    """
    told = _OPERATION.search(reply.reason) if reply.status == 429 else None
    return told is not None and int(told[1]) > int(told[2])


def may_exceed_node(reply: Reply) -> bool:
    """
    Tell whether a bulk that is refused again and again, sent alone, may be too large for the node.
    """
    return reply.status == 429 and reply.error_type == "circuit_breaking_exception"
