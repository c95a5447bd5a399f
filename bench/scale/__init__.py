"""
Measures how cost grows with topics, partitions and processes, and what idling and starting cost.
"""
