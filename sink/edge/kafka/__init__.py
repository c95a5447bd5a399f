"""
The Kafka edge: only the files of this folder know confluent-kafka.
"""
