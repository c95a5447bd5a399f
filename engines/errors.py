"""
The one error of this package. Imported by every module here.
"""


class EngineError(Exception):
    """
    An engine cannot be fetched, started or stopped: what, why and what to do about it.
    """
