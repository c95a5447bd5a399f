"""
Bytes that end in a number, for numbers in a row: made of two halves that many of them share.
"""

_THOUSAND = 1000


def ends(after: bytes) -> list[bytes]:
    """
    Make how numbers of a thousand and more end, by their last three digits.

    Args:
        after: What stands behind the number.
    """
    return [b"%03d%b" % (number, after) for number in range(_THOUSAND)]


def halves(
    before: bytes, numbers: range, known_ends: list[bytes]
) -> tuple[list[bytes], list[bytes]]:
    """
    Write each number between two texts, in two halves.

    Nothing is made for a number: all of one thousand begin alike, and how they end is known before.

    Args:
        numbers: In a row, none below 0.
        known_ends: As `ends` makes them.
    """
    begins: list[bytes] = []
    rests: list[bytes] = []
    first, stop = numbers.start, numbers.stop
    while first < stop:
        thousand, number = divmod(first, _THOUSAND)
        if thousand:
            new = known_ends[number : number + stop - first]
            begins += [b"%b%d" % (before, thousand)] * len(new)
        else:  # no zeros in front
            new = [b"%d" % n + known_ends[0][3:] for n in range(first, min(stop, _THOUSAND))]
            begins += [before] * len(new)
        rests += new
        first += len(new)
    return begins, rests
