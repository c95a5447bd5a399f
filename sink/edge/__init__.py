"""
The edges: each file is the only one that knows its library.
"""
