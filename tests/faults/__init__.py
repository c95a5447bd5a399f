"""
The fault suite: `make faults`. What is done to whom, and whether every document is accounted for.
"""
