"""
Measures what a document costs a real Elasticsearch, and how that depends on what the sink sends.
"""
