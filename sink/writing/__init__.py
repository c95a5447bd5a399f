"""
From the handoff to Elasticsearch and the letters: one event loop sees each bulk through.
"""
