"""
Measures what a record costs the sink, beside the least that any Python program would spend on it.

Both read the same topics of a real broker and send to a null Elasticsearch that only counts.
"""
