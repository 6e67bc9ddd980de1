// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

const (
	defaultRatio = 0.1
	onlySampler  = "parentbased_traceidratio"
)

var propagator = propagation.TraceContext{}

// tracing is the tracer of a program, and how far contexts go in the version modelled.
type tracing struct {
	trace.Tracer
	behaviour
	on       bool
	shutdown func(context.Context)
}

// startTracing does what the program's own set-up does; asked is its --tracing flag.
func startTracing(b behaviour, asked bool) (*tracing, error) {
	t := &tracing{Tracer: noop.NewTracerProvider().Tracer(""), behaviour: b, shutdown: func(context.Context) {}}
	if !asked && !b.alwaysOn {
		return t, nil
	}
	exporter, err := newExporter(b)
	if err != nil {
		return t, fmt.Errorf("failed to init tracing: %w", err)
	}
	attributes := []attribute.KeyValue{}
	if os.Getenv("OTEL_SERVICE_NAME") == "" {
		attributes = append(attributes, attribute.String("service.name", b.serviceName))
	} else if b.alwaysOn {
		attributes = append(attributes, attribute.String("service.name", os.Getenv("OTEL_SERVICE_NAME")))
	}
	kinds := []resource.Option{resource.WithTelemetrySDK(), resource.WithAttributes(attributes...)}
	if !b.alwaysOn { // the early set-up ignores OTEL_RESOURCE_ATTRIBUTES
		kinds = append(kinds, resource.WithFromEnv())
	}
	about, err := resource.New(context.Background(), kinds...)
	if err != nil {
		return t, err
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(about),
		sdktrace.WithSampler(sampler(b)))
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { fmt.Fprintln(os.Stderr, "otel:", err) }))
	t.on, t.Tracer = true, provider.Tracer("llm-d")
	t.shutdown = func(ctx context.Context) { _ = provider.Shutdown(ctx) }
	return t, nil
}

// newExporter: console unless OTEL_TRACES_EXPORTER=otlp; gRPC only. Before 0.10 always plaintext, with the scheme cut off.
func newExporter(b behaviour) (sdktrace.SpanExporter, error) {
	if os.Getenv("OTEL_TRACES_EXPORTER") != "otlp" && !b.alwaysOn {
		return stdouttrace.New(stdouttrace.WithPrettyPrint())
	}
	if !b.insecure {
		return otlptracegrpc.New(context.Background()) // the SDK's own reading of OTEL_EXPORTER_OTLP_*
	}
	endpoint := os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT")
	if endpoint == "" {
		endpoint = "localhost:4317"
	}
	if _, host, found := strings.Cut(endpoint, "://"); found {
		endpoint = strings.TrimRight(host, "/")
	}
	return otlptracegrpc.New(context.Background(), otlptracegrpc.WithEndpoint(endpoint), otlptracegrpc.WithInsecure())
}

// sampler honours one name only; any other, and an argument that is no number, quietly keeps a tenth.
func sampler(b behaviour) sdktrace.Sampler {
	ratio, err := strconv.ParseFloat(os.Getenv("OTEL_TRACES_SAMPLER_ARG"), 64)
	if err != nil {
		ratio = defaultRatio
	}
	name := os.Getenv("OTEL_TRACES_SAMPLER")
	if name != "" && name != onlySampler && !b.alwaysOn {
		fmt.Fprintf(os.Stderr, "unsupported sampler type %q, using %s with ratio %v\n", name, onlySampler, defaultRatio)
		ratio = defaultRatio
	}
	return sdktrace.ParentBased(sdktrace.TraceIDRatioBased(ratio))
}

// parent is the context of an inbound request, as far as this version reads it.
func (t *tracing) parent(r *http.Request) context.Context {
	if !t.reads || !t.on {
		return r.Context()
	}
	return propagator.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
}

// hand puts a context into outbound headers, as far as this version does; carried says that an inbound one may pass by.
func (t *tracing) hand(ctx context.Context, header http.Header, carried bool) {
	switch {
	case t.on && t.propagates:
		propagator.Inject(ctx, propagation.HeaderCarrier(header))
	case !carried:
		header.Del("traceparent")
		header.Del("tracestate")
	}
}
