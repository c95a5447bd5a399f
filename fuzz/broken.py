"""
What a fuzz target raises where the sink broke its word.
"""


class Broken(AssertionError):
    """
    An invariant does not hold. Any other exception out of a target is a crash of the sink.
    """


def must(holds: object, what: str) -> None:
    """
    Hold an invariant.

    Raises:
        Broken: It does not hold.
    """
    if not holds:
        raise Broken(what)
