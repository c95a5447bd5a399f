"""
Real engines on loopback, for the demo, the tests and the bench: Apache Kafka and Elasticsearch.

From jars of Maven Central; a JDK 17 and Maven are all they need. `python -m engines --help` has the
same for a terminal.

    with Kafka("data/kafka") as kafka, Elasticsearch("data/elasticsearch") as elasticsearch:
        print(kafka.bootstrap_servers, elasticsearch.url)
"""

from engines.elasticsearch import Elasticsearch, elasticsearch_cluster
from engines.errors import EngineError
from engines.kafka import Kafka, kafka_cluster
from engines.process import Engine, start_together

__all__ = [
    "Elasticsearch",
    "Engine",
    "EngineError",
    "Kafka",
    "elasticsearch_cluster",
    "kafka_cluster",
    "start_together",
]
