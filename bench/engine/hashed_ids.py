"""
`sink run` with ids that are hashes, as pipelines make them that take an MD5 of the content.

Elasticsearch finds them in no order. A measure, not a program to use. It is run as a script:
`python -P bench/engine/hashed_ids.py run -c FILE`.
"""

from collections.abc import Sequence
from hashlib import md5

from sink.cli import main
from sink.core import target
from sink.core.action import action_lines

_MARK = b'","_id":"'


def _hashed(prefix: bytes, ids: Sequence[int] | list[bytes], *, with_id: bool) -> list[bytes]:
    head, mark, _ = prefix.partition(_MARK)
    if not mark:
        raise AssertionError(f"no id in {prefix!r}: the figure would be wrong")
    lines = action_lines(prefix, ids, with_id=with_id)
    return [
        head + mark + md5(line, usedforsecurity=False).hexdigest().encode() + b'"}}'
        for line in lines
    ]


if __name__ == "__main__":
    getattr(target, "action_lines")  # noqa: B009  it must be there: else the figure is wrong
    setattr(target, "action_lines", _hashed)  # noqa: B010
    main()
