// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
)

// picker is the endpoint picker. It talks HTTP where the real one talks Envoy's ext_proc over gRPC; its health port
// is gRPC, since kubelets probe it.
type picker struct {
	*tracing
	backends map[string]string // role to host:port; each address behind the name is an endpoint
	turn     atomic.Uint64
}

// pick is the answer: where the request goes, and what headers it gets on the way.
type pick struct {
	Endpoint string      `json:"endpoint"`
	Headers  http.Header `json:"headers"`
}

func runPicker(b behaviour, args []string) error {
	o, err := parse(b, args)
	if err != nil {
		return err
	}
	asked, known := o.values["tracing"]
	t, err := startTracing(b, known && asked == "true")
	if err != nil {
		return err
	}
	p := &picker{tracing: t, backends: map[string]string{}}
	for _, entry := range strings.FieldsFunc(os.Getenv("EMITTER_BACKENDS"), func(r rune) bool { return r == ',' || r == ' ' }) {
		role, address, found := strings.Cut(entry, "=")
		if !found {
			role, address = "decode", entry
		}
		p.backends[role] = address
	}
	ports := [3]int{}
	for i, name := range []string{"grpc-port", "metrics-port", "grpc-health-port"} {
		if ports[i], err = strconv.Atoi(o.values[name]); err != nil {
			return fmt.Errorf("--%s: %w", name, err)
		}
	}
	probes, err := net.Listen("tcp", fmt.Sprintf("%s:%d", os.Getenv("EMITTER_HOST"), ports[2]))
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	alive := health.NewServer()
	for _, service := range []string{"", "inference-extension", "envoy.service.ext_proc.v3.ExternalProcessor", "liveness", "readiness"} {
		alive.SetServingStatus(service, grpc_health_v1.HealthCheckResponse_SERVING)
	}
	grpc_health_v1.RegisterHealthServer(server, alive)
	go func() { _ = server.Serve(probes) }()
	metrics := http.NewServeMux()
	metrics.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "inference_extension_request_total %d\n", p.turn.Load())
	})
	return serve(map[int]http.Handler{ports[0]: p, ports[1]: metrics}, func(context.Context) { server.Stop() }, t.shutdown)
}

// ServeHTTP answers one line at once and keeps the request's span open until the gateway ends the request's body.
func (p *picker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	control := http.NewResponseController(w)
	_ = control.EnableFullDuplex()
	_ = control.SetReadDeadline(time.Now().Add(2 * time.Minute))
	ctx := p.parent(r)
	var whole trace.Span
	if p.picks >= picksRequest {
		ctx, whole = p.Start(ctx, "gateway.request", trace.WithSpanKind(trace.SpanKindServer),
			trace.WithAttributes(attribute.String("gen_ai.request.model", r.Header.Get("X-Model"))))
		defer whole.End()
	}
	answer, err := p.choose(ctx)
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	answer.Headers.Set("Traceparent", r.Header.Get("Traceparent"))
	if r.Header.Get("Traceparent") == "" {
		answer.Headers.Del("Traceparent")
	}
	p.hand(ctx, answer.Headers, true)
	if whole != nil {
		whole.SetAttributes(attribute.String("server.address", answer.Endpoint))
	}
	_ = json.NewEncoder(w).Encode(answer)
	_ = control.Flush()
	_, _ = io.Copy(io.Discard, r.Body)
}

// choose picks an endpoint and leaves the spans that this version leaves of it.
func (p *picker) choose(ctx context.Context) (pick, error) {
	if p.picks >= picksOrchestration {
		var span trace.Span
		ctx, span = p.Start(ctx, "gateway.request_orchestration")
		defer span.End()
	}
	answer := pick{Headers: http.Header{}}
	var err error
	if answer.Endpoint, err = p.address("decode"); err != nil {
		return answer, err
	}
	if prefill, err := p.address("prefill"); err == nil {
		answer.Headers.Set(prefillHeader, prefill)
	}
	p.explain(ctx, answer)
	return answer, nil
}

type stage struct {
	name     string
	children []stage
}

var (
	// LLMD.md §3.3: what v0.9.0 names, and what came after it.
	llmdStages     = []stage{{"pick_disagg_profile", nil}, {"prepare_disaggregation", nil}, {"score_prefix_cache", nil}}
	detailedStages = []stage{
		{"produce_precise_prefix_cache", []stage{{"llm_d.kv_cache.index", nil}}},
		{"pick_disagg_profile", nil},
		{"run_scheduler_profile", []stage{
			{"filter_endpoints", nil},
			{"llm_d.epp.scoring", []stage{{"llm_d.epp.scorer.prefix-cache-scorer", nil}, {"llm_d.epp.scorer.queue-scorer", nil}}},
			{"pick_endpoints", nil}}},
		{"prepare_disaggregation", nil}}
)

func (p *picker) explain(ctx context.Context, answer pick) {
	switch p.picks {
	case picksGeneric: // the bare name of an untold HTTP request: the guide's "only generic GET spans"
		_, span := p.Start(ctx, "GET", trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
			attribute.String("http.request.method", "GET"), attribute.String("server.address", answer.Endpoint)))
		span.End()
	case picksLLMD:
		p.walk(ctx, llmdStages)
	case picksDetailed:
		p.walk(ctx, detailedStages)
	}
}

func (p *picker) walk(ctx context.Context, stages []stage) {
	for _, s := range stages {
		below, span := p.Start(ctx, s.name)
		p.walk(below, s.children)
		span.End()
	}
}

// address takes the next of the addresses that a role's name stands for.
func (p *picker) address(role string) (string, error) {
	target := p.backends[role]
	if target == "" {
		return "", errors.New("no " + role + " endpoints: EMITTER_BACKENDS is role=host:port,…")
	}
	host, port, err := net.SplitHostPort(target)
	if err != nil {
		return "", fmt.Errorf("EMITTER_BACKENDS: %w", err)
	}
	addresses, err := net.DefaultResolver.LookupHost(context.Background(), host)
	if err != nil {
		return "", err
	}
	return net.JoinHostPort(addresses[p.turn.Add(1)%uint64(len(addresses))], port), nil
}
