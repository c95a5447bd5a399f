"""
The whole job on this machine: real engines, real records, the sink as its users run it, a verdict.

`make demo` runs it. Nothing here is part of the package that is installed.
"""
