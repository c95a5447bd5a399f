"""
The soak: `make soak`. Records at an even rate, a mishap a minute, and everything must stay flat.
"""
