"""
Other programs that move records from Kafka to Elasticsearch, measured beside the sink.

Each has a configuration in this folder that makes it as fast as we know how to.
"""
