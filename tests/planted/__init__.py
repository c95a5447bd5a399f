"""
Bugs planted on purpose: `make planted` shows that each is caught, and by what.
"""
