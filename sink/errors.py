"""
The errors of the sink, by what whoever catches them must do.

    SinkError
    ├── ConfigError      the operator must change a setting: say it and exit with code 2
    ├── Unavailable      the other side does not answer: wait with backoff and try again
    │   └── Unauthorized it answers, but refuses the credentials: the same, and say which credential
    └── Reject           this one record cannot become a document: dead-letter it and go on
"""


class SinkError(Exception):
    """
    Base of every error the sink raises on purpose.
    """


class ConfigError(SinkError):
    """
    A setting is unknown, missing or impossible. Only the operator can mend it.
    """


class Unavailable(SinkError):
    """
    Kafka or Elasticsearch does not answer as it should. Trying again later may help.
    """


class Unauthorized(Unavailable):
    """
    Kafka or Elasticsearch refuses the credentials. They may be mended while the sink waits.
    """


class Reject(SinkError):
    """
    Raised by a collector: the record cannot become a document and goes to the dead letters.

    Args:
        reason: A sentence for the person who reads the dead letter.
    """
