// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

const prefillHeader = "X-Prefiller-Host-Port"

// proxy is the routing sidecar in front of a decode server: prefill elsewhere first, then decode beside it.
type proxy struct {
	*tracing
	client  *http.Client
	decoder string // host:port
}

func runProxy(b behaviour, args []string) error {
	o, err := parse(b, args)
	if err != nil {
		return err
	}
	t, err := startTracing(b, o.on("tracing"))
	if err != nil { // not fatal here
		fmt.Println(err)
	}
	port, err := strconv.Atoi(o.values["port"])
	if err != nil {
		return fmt.Errorf("--port: %w", err)
	}
	server := o.values["model-server-port"]
	if old := o.values["vllm-port"]; old != "" && !o.set["model-server-port"] {
		server = old
	}
	p := &proxy{tracing: t, client: &http.Client{Timeout: time.Minute}, decoder: "localhost:" + server}
	return serve(map[int]http.Handler{port: p}, t.shutdown)
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, bodyLimit))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if r.Method != http.MethodPost { // health and metrics are the engine's
		p.send(r.Context(), r, p.decoder, body).write(w)
		return
	}
	ctx, whole := p.Start(p.parent(r), "llm_d.pd_proxy."+r.Method+" "+r.URL.Path, trace.WithSpanKind(trace.SpanKindServer))
	defer whole.End()
	prefiller := r.Header.Get(prefillHeader)
	if prefiller == "" {
		ctx, span := p.Start(ctx, "forward_request")
		answer := p.send(ctx, r, p.decoder, body)
		note(span, answer)
		answer.write(w)
		return
	}
	answer, prefill, decode := p.disaggregate(ctx, r, prefiller, body)
	whole.SetAttributes(
		attribute.String("llm_d.pd_proxy.connector", "nixlv2"),
		attribute.Float64("llm_d.pd_proxy.prefill_duration_ms", milliseconds(prefill)),
		attribute.Float64("llm_d.pd_proxy.decode_duration_ms", milliseconds(decode)),
		attribute.Float64("llm_d.pd_proxy.true_ttft_ms", milliseconds(prefill+decode/2)))
	answer.write(w)
}

// disaggregate: the decode span is a child of the prefill span, which is a quirk of the nixlv2 connector.
func (p *proxy) disaggregate(ctx context.Context, r *http.Request, prefiller string, body []byte) (reply, time.Duration, time.Duration) {
	names := [2]string{"prefill", "decode"}
	if p.alwaysOn {
		names = [2]string{"llm_d.pd_proxy.prefill", "llm_d.pd_proxy.decode"}
	}
	start := time.Now()
	ctx, span := p.Start(ctx, names[0])
	first := p.send(ctx, r, prefiller, withFields(body, map[string]any{
		"max_tokens": 1, "stream": false, "kv_transfer_params": map[string]any{"do_remote_decode": true}}))
	prefill := time.Since(start)
	note(span, first)
	if first.status/100 != 2 {
		return first, prefill, 0
	}
	var filled map[string]any
	_ = json.Unmarshal(first.body, &filled)
	start = time.Now()
	ctx, second := p.Start(ctx, names[1])
	answer := p.send(ctx, r, p.decoder, withFields(body, map[string]any{"kv_transfer_params": filled["kv_transfer_params"]}))
	note(second, answer)
	return answer, prefill, time.Since(start)
}

type reply struct {
	status int
	kind   string
	body   []byte
}

func (p *proxy) send(ctx context.Context, r *http.Request, to string, body []byte) reply {
	request, err := http.NewRequestWithContext(ctx, r.Method, "http://"+to+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		return reply{http.StatusBadGateway, "text/plain", []byte(err.Error())}
	}
	request.Header = passed(r)
	p.hand(ctx, request.Header, false)
	return do(p.client, request)
}

// passed are the headers that go on: not those of the connection, which a client's "Connection: close" would end unseen.
func passed(r *http.Request) http.Header {
	header := r.Header.Clone()
	for _, name := range []string{"Connection", "Content-Length", "Transfer-Encoding"} {
		header.Del(name)
	}
	return header
}

func do(client *http.Client, request *http.Request) reply {
	response, err := client.Do(request)
	if err != nil {
		return reply{http.StatusBadGateway, "text/plain", []byte(err.Error() + "\n")}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, bodyLimit))
	if err != nil {
		return reply{http.StatusBadGateway, "text/plain", []byte(err.Error() + "\n")}
	}
	return reply{response.StatusCode, response.Header.Get("Content-Type"), body}
}

func (a reply) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", a.kind)
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body)
}

func note(span trace.Span, answer reply) {
	span.SetAttributes(attribute.Int("http.response.status_code", answer.status))
	if answer.status/100 != 2 {
		span.SetStatus(codes.Error, http.StatusText(answer.status))
	}
	span.End()
}

// withFields sets members of a JSON object; what is no object goes on as it is.
func withFields(body []byte, fields map[string]any) []byte {
	var object map[string]any
	if json.Unmarshal(body, &object) != nil {
		return body
	}
	for name, value := range fields {
		object[name] = value
	}
	changed, err := json.Marshal(object)
	if err != nil {
		return body
	}
	return changed
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
