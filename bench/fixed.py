"""
`sink run` with a fixed number of bulks under way: `python -P bench/fixed.py NUMBER run -c FILE`.

Beside it the sink as it is shows whether it finds its number.
"""

import sys

from sink.cli import main
from sink.core.concurrency import Concurrency
from sink.writing import slots


class Fixed(Concurrency):
    """
    Always the same, whatever is answered.
    """

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self.limit = NUMBER

    def answered(self, took_s: float, *, in_flight: int, is_full: bool, refused: bool) -> None:
        """
        Learn nothing.
        """


if __name__ == "__main__":
    NUMBER = int(sys.argv.pop(1))
    vars(slots)["Concurrency"] = Fixed
    main()
