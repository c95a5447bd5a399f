"""
The whole flow on a virtual clock: a schedule of faults runs in milliseconds, the same each time.

Workers, event loops and all that would be a thread are greenlets of one thread. A scheduler owns
the clock and chooses, by a seed, who goes on; where nobody can, the clock jumps.
"""
