"""
The default collector: JSON objects pass as the bytes they came in, anything else becomes text.
"""

from sink.collectors.objects import Format, collector_of
from sink.collectors.text import as_text

LOG = collector_of(Format("log", as_text))
