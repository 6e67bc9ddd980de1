// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
)

// runSimulator stands for llm-d-inference-sim: a model server without tracing, that exits with 0 on a flag it does not know.
func runSimulator(b behaviour, args []string) error {
	o, err := parse(b, args)
	if err != nil {
		return err
	}
	model := o.values["model"]
	if model == "" {
		return &flagError{errors.New("invalid configuration: model parameter is empty")}
	}
	port, err := strconv.Atoi(o.values["port"])
	if err != nil {
		return &flagError{fmt.Errorf("--port: %w", err)}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /ready", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "vllm:num_requests_running 0") })
	mux.HandleFunc("GET /v1/models", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"object": "list", "data": []any{map[string]any{"id": model, "object": "model"}}})
	})
	mux.HandleFunc("POST /v1/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"id": "sim", "object": "text_completion", "model": model,
			"choices": []any{map[string]any{"index": 0, "text": "ok", "finish_reason": "stop"}}})
	})
	return serve(map[int]http.Handler{port: mux})
}
