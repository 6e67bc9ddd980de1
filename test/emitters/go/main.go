// SPDX-License-Identifier: Apache-2.0

// Command emitter stands where llm-d's Go programs stand: the routing proxy (pd-sidecar), the endpoint picker
// (epp), the inference simulator and a gateway. Which one it is comes from the name that it is called by, which
// version it behaves as from EMITTER_IMAGE, the reference of its own image. See test/emitters/README.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

const bodyLimit = 8 << 20

func main() {
	roles := map[string]func(b behaviour, args []string) error{
		"pd-sidecar": runProxy, "epp": runPicker, "llm-d-inference-sim": runSimulator, "gateway": runGateway,
	}
	name := filepath.Base(os.Args[0])
	run := roles[name]
	if run == nil {
		fmt.Fprintf(os.Stderr, "emitter: called as %q; link it as pd-sidecar, epp, llm-d-inference-sim or gateway\n", name)
		os.Exit(2)
	}
	b := behaviourOf(os.Getenv("EMITTER_IMAGE"))
	err := run(b, os.Args[1:])
	var refused *flagError
	switch {
	case err == nil:
	case errors.As(err, &refused):
		fmt.Fprintln(os.Stderr, err)
		os.Exit(b.flagExit)
	default:
		fmt.Fprintln(os.Stderr, "emitter:", err)
		os.Exit(1)
	}
}

// serve answers on all addresses until SIGTERM, lets what is under way end, then runs the closers.
func serve(handlers map[int]http.Handler, closers ...func(context.Context)) error {
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	failed := make(chan error, len(handlers))
	var servers []*http.Server
	for port, handler := range handlers {
		server := &http.Server{Addr: fmt.Sprintf("%s:%d", os.Getenv("EMITTER_HOST"), port), Handler: handler,
			ReadHeaderTimeout: 10 * time.Second}
		servers = append(servers, server)
		go func() { failed <- server.ListenAndServe() }()
	}
	var err error
	select {
	case <-stop.Done():
	case err = <-failed:
	}
	grace, done := context.WithTimeout(context.Background(), 5*time.Second)
	defer done()
	for _, server := range servers {
		_ = server.Shutdown(grace)
	}
	for _, close := range closers {
		close(grace)
	}
	return err
}
