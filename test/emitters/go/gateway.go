// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"
)

// gateway stands for Envoy: it asks the endpoint picker where a request goes and sends it there. Like a gateway
// that nobody configured for tracing it makes no spans, and it passes the client's traceparent on.
type gateway struct {
	client *http.Client
	picker string // http://host:port
}

func runGateway(b behaviour, args []string) error {
	o, err := parse(b, args)
	if err != nil {
		return err
	}
	port, err := strconv.Atoi(o.values["port"])
	if err != nil {
		return fmt.Errorf("--port: %w", err)
	}
	address := os.Getenv("EMITTER_EPP")
	if address == "" {
		address = "epp:9002"
	}
	g := &gateway{client: &http.Client{Timeout: time.Minute}, picker: "http://" + address}
	return serve(map[int]http.Handler{port: g})
}

func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/healthz" {
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, bodyLimit))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	held, release := io.Pipe() // ending it tells the picker that the request is over
	defer release.Close()
	answer, err := g.ask(r, body, held)
	if err != nil {
		http.Error(w, "endpoint picker: "+err.Error(), http.StatusServiceUnavailable)
		return
	}
	request, err := http.NewRequestWithContext(r.Context(), r.Method, "http://"+answer.Endpoint+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	request.Header = passed(r)
	for name, values := range answer.Headers {
		request.Header[name] = values
	}
	do(g.client, request).write(w)
}

func (g *gateway) ask(r *http.Request, body []byte, held io.ReadCloser) (pick, error) {
	var answer pick
	question, err := http.NewRequestWithContext(r.Context(), http.MethodPost, g.picker+"/pick", held)
	if err != nil {
		return answer, err
	}
	question.Header = passed(r)
	var asked struct{ Model string }
	_ = json.Unmarshal(body, &asked)
	question.Header.Set("X-Model", asked.Model)
	response, err := g.client.Do(question)
	if err != nil {
		return answer, err
	}
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 1<<10))
		response.Body.Close()
		return answer, fmt.Errorf("%s: %s", response.Status, text)
	}
	// The body stays open with the question: one line of it is the answer.
	return answer, json.NewDecoder(response.Body).Decode(&answer)
}
