"""
What Elasticsearch takes as the name of an index: texts made fit for one.
"""

import hashlib
import re

# Source: Elasticsearch, "Create index API", path parameters: names are lower case, hold none of
# \ / * ? " < > | space , # :, do not begin with - _ +, and are at most 255 bytes long.
_ILLEGAL = re.compile(r'[\\/*?"<>|\s,#:\x00-\x1f\x7f]')
NAME_BYTES_MAX = 255
# What is no letter, digit or underscore in any script. Characters that Unicode got later than this
# Python go too: Elasticsearch may know an upper and a lower case of them.
_NO_WORD = re.compile(r"[^\w-]")
# Of a field's value. Two of them leave room for what stands around them, and for the date: it is
# what the index is deleted by.
PART_BYTES_MAX = 100
UNKNOWN = "unknown"


def legal(text: str, *, dots: bool = False) -> str:
    """
    Make a text fit for an index name. Dots become `_`, except in a form the operator wrote.
    """
    text = _ILLEGAL.sub("_", text.lower())
    text = text if dots else text.replace(".", "_")
    return text.lstrip("-_+.") or "x"


def part(value: object) -> str:
    """
    Make what a field holds fit to stand within an index name.

    Args:
        value: As JSON gives it.
    Returns:
        `unknown` where it is no text, or nothing is left of it.
    """
    if not isinstance(value, str):
        return UNKNOWN
    text = _NO_WORD.sub("_", value.lower()).strip("-_")
    return bounded(text, "", PART_BYTES_MAX) if text else UNKNOWN


def bounded(base: str, tail: str, bytes_max: int = NAME_BYTES_MAX) -> str:
    """
    Keep a name within its bytes; what is cut off is told apart by a digest of the whole.
    """
    name = base + tail
    if len(name.encode()) <= bytes_max:
        return name
    digest = "_" + hashlib.sha256(base.encode()).hexdigest()[:12]
    room = bytes_max - len((digest + tail).encode())
    return base.encode()[:room].decode(errors="ignore") + digest + tail
