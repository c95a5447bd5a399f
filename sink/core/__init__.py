"""
Pure parts of the flow: no I/O, no threads, no clock, no randomness, no logging.
"""
