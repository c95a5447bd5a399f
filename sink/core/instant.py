"""
Points in time: read out of what sources write, written as Elasticsearch and Kibana read them.
"""

from datetime import datetime, timedelta, tzinfo

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  UTC, without saying so in its text
_END_MS = 253_402_300_800_000  # the year 10000: dates are written with four digits

# Seconds, milliseconds, microseconds and nanoseconds are told apart by their size. Milliseconds
# below the first bound are before 1973-03-03, seconds above it are after the year 5138.
_UNITS = ((10**11, 1000), (10**14, 1), (10**17, 1e-3), (10**20, 1e-6))


def read_ms(value: object, zone: tzinfo) -> int | None:
    """
    Read a time: a number of whatever unit, or ISO 8601 with or without a colon in its offset.

    Args:
        value: Of a field, as JSON gives it; a number may be a string.
        zone: Of a time that names none.
    Returns:
        Milliseconds since the epoch, UTC; None where it is no time from 1970 to 9999.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _of_number(value)
    if not isinstance(value, str):
        return None
    try:
        if value[4:5] != "-":
            return _of_number(float(value))
        at = datetime.fromisoformat(value)
        at = at if at.tzinfo else at.replace(tzinfo=zone)
        time_ms = round(at.timestamp() * 1000)
    except (ValueError, OverflowError):
        return None
    return time_ms if time_ms >= 0 else None


def _of_number(number: float) -> int | None:
    if not number >= 0:  # so that what is not a number is none either
        return None
    for below, factor in _UNITS:
        if number < below:
            return round(number * factor)
    return None


def json_of(time_ms: int) -> bytes:
    """
    Write a time as JSON: ISO 8601 in UTC, which is a date also without the sink's mapping.

    Args:
        time_ms: Of a record. Negative, there is none: it becomes 1970, beside which the index
            `…_undated` says why. After the year 9999 it stays a number.
    """
    if time_ms >= _END_MS:
        return b"%d" % time_ms
    at = _EPOCH + timedelta(milliseconds=max(0, time_ms))
    return b'"%bZ"' % at.isoformat(timespec="milliseconds").encode()
