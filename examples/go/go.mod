module example.com/orders

go 1.24.0

require (
	github.com/twmb/franz-go v1.20.7
	go.uber.org/zap v1.28.0
)

require (
	github.com/klauspost/compress v1.18.4 // indirect
	github.com/pierrec/lz4/v4 v4.1.25 // indirect
	github.com/twmb/franz-go/pkg/kmsg v1.12.0 // indirect
	go.uber.org/multierr v1.10.0 // indirect
)
