"""
Go services with go.uber.org/zap: `ts` is seconds as a float, or ISO 8601 as the encoder is set.

Source: zap, zapcore/encoder.go: EpochTimeEncoder, EpochMillisTimeEncoder, EpochNanosTimeEncoder,
ISO8601TimeEncoder ("2006-01-02T15:04:05.000Z0700", no colon in the offset), RFC3339TimeEncoder.
"""

from sink.collectors.objects import Format, collector_of
from sink.collectors.text import as_text

ZAP = collector_of(Format("zap", as_text, time_field="ts"))
