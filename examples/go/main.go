// A service that logs with zap to its terminal and to Kafka.
//
// KAFKA_BOOTSTRAP_SERVERS (127.0.0.1:9092) and LOG_PREFIX (ekk-) say where to.
package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

func main() {
	servers := cmp.Or(os.Getenv("KAFKA_BOOTSTRAP_SERVERS"), "127.0.0.1:9092")
	topic := cmp.Or(os.Getenv("LOG_PREFIX"), "ekk-") + "orders-go"
	kafka, err := NewKafkaWriter(topic, strings.Split(servers, ",")...)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	logger := newLogger(kafka)

	ship(logger)

	if lost := kafka.Close(); lost > 0 {
		fmt.Fprintln(os.Stderr, lost, "log records lost")
		os.Exit(1)
	}
}

func ship(logger *zap.Logger) {
	logger.Info("order 42 shipped", zap.Int("order", 42), zap.Float64("weight_kg", 1.5))
	logger.Warn("库存不足", zap.String("item", "茶杯"), zap.Duration("waited_ms", 1250*time.Millisecond))
	logger.Error("order 43 failed", zap.Int("order", 43), zap.Error(errors.New("connection refused")))
}

func newLogger(kafka zapcore.WriteSyncer) *zap.Logger {
	host, _ := os.Hostname()
	everywhere := zapcore.NewTee(
		zapcore.NewCore(zapcore.NewJSONEncoder(fields), zapcore.Lock(os.Stderr), zap.InfoLevel),
		// KafkaWriter needs no lock. Without zap's sampler, which drops lines: zap.New has none.
		zapcore.NewCore(zapcore.NewJSONEncoder(fields), kafka, zap.InfoLevel),
	)
	return zap.New(
		everywhere,
		zap.AddCaller(),
		zap.AddStacktrace(zap.ErrorLevel),
		zap.Fields(zap.String("appname", "orders"), zap.String("instanceid", host)),
	).Named("com.example.orders")
}

// The names of the EKK appender, so that logs of all languages are found by the same fields.
// With zap.NewProductionEncoderConfig() instead, the sink's route needs: collector = "zap".
var fields = zapcore.EncoderConfig{
	TimeKey:        "logtime",
	EncodeTime:     epochMillis,
	LevelKey:       "level",
	EncodeLevel:    zapcore.CapitalLevelEncoder,
	NameKey:        "loggername",
	EncodeName:     zapcore.FullNameEncoder,
	MessageKey:     "msg",
	CallerKey:      "caller",
	EncodeCaller:   zapcore.ShortCallerEncoder,
	StacktraceKey:  "stacktrace",
	EncodeDuration: zapcore.MillisDurationEncoder,
}

// Whole milliseconds: zap's own EpochMillisTimeEncoder writes a float.
func epochMillis(t time.Time, encoder zapcore.PrimitiveArrayEncoder) {
	encoder.AppendInt64(t.UnixMilli())
}
