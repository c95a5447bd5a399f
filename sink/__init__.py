"""
A daemon that moves log records from Apache Kafka to Elasticsearch and accounts for every one.
"""

__version__ = "0.1.0"
