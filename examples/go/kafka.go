package main

import (
	"bytes"
	"context"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	recordsMax      = 10_000
	bytesMax        = 16 << 20
	deliveryTimeout = 2 * time.Minute
	flushTimeout    = 5 * time.Second
)

// KafkaWriter is a zapcore.WriteSyncer: each line of a log becomes a record.
//
// It never waits for Kafka but in Sync and Close, and then not for long. Lines that find no room,
// or that Kafka does not take in time, are lost and counted.
type KafkaWriter struct {
	client *kgo.Client
	lost   atomic.Int64
}

// NewKafkaWriter makes a writer. It connects by itself, now or later.
func NewKafkaWriter(topic string, servers ...string) (*KafkaWriter, error) {
	client, err := kgo.NewClient(
		kgo.SeedBrokers(servers...),
		kgo.DefaultProduceTopic(topic),
		kgo.AllowAutoTopicCreation(), // where the brokers do, as with other clients
		kgo.MaxBufferedRecords(recordsMax),
		kgo.MaxBufferedBytes(bytesMax),
		kgo.RecordDeliveryTimeout(deliveryTimeout),
		kgo.ProducerLinger(50*time.Millisecond),
		kgo.ProducerBatchCompression(kgo.ZstdCompression(), kgo.NoCompression()),
	)
	if err != nil {
		return nil, err
	}
	return &KafkaWriter{client: client}, nil
}

// Write hands a line over. It always succeeds: an application must not fail for its log.
func (w *KafkaWriter) Write(line []byte) (int, error) {
	// A copy: zap writes its next line into the same buffer.
	value := bytes.Clone(bytes.TrimRight(line, "\n"))
	w.client.TryProduce(context.Background(), &kgo.Record{Value: value}, w.delivered)
	return len(line), nil
}

func (w *KafkaWriter) delivered(_ *kgo.Record, err error) {
	if err != nil {
		w.lost.Add(1)
	}
}

// Sync waits until Kafka has every line. zap calls it at DPanic, Panic and Fatal.
func (w *KafkaWriter) Sync() error {
	ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()
	return w.client.Flush(ctx)
}

// Close sends what is in memory and tells how many lines were lost.
func (w *KafkaWriter) Close() int64 {
	if err := w.Sync(); err != nil {
		w.lost.Add(w.client.BufferedProduceRecords())
	}
	w.client.Close()
	return w.lost.Load()
}
