"""
How the demo ends before its end. Imported by every module here.
"""


class DemoError(Exception):
    """
    The demo cannot go on: what, why and what to do about it.
    """


class Interrupted(Exception):
    """
    Ctrl-C before anything was produced: there is nothing to judge.
    """
