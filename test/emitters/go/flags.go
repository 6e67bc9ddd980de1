// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/pflag"
	"gopkg.in/yaml.v3"
)

// flagError is a command line that the program modelled does not take.
type flagError struct{ error }

// Names, arity and default of each program's flags: "name:b" is a switch, "name:b=true" one that is on, "name:s"
// takes a value, with "name:s=default". Facts of the programs' options; see versions.go for who uses which.
const (
	zapFlags     = "zap-devel:b zap-encoder:s zap-log-level:s zap-stacktrace-level:s zap-time-encoding:s "
	sidecarFlags = zapFlags + `port:s=8000 data-parallel-size:s kv-connector:s=nixlv2 ec-connector:s secure-proxy:b=true
		cert-path:s enable-ssrf-protection:b enable-prefiller-sampling:b pool-group:s decode-chunk-size:s enable-tls:s
		tls-insecure-skip-verify:s inference-pool:s max-idle-conns-per-host:s `
	sidecarOld = `vllm-port:s=8001 connector:s prefiller-use-tls:b decoder-use-tls:b prefiller-tls-insecure-skip-verify:b
		decoder-tls-insecure-skip-verify:b inference-pool-namespace:s inference-pool-name:s `
	sidecar10 = `vllm-port:s model-server-port:s=8200 secure-serving:b=true metrics-port:s metrics-cert-dir:s enable-p2p-pull:b
		enable-speculative-prefill:b mooncake-bootstrap-port:s p2p-connector-port:s prefill-max-retries:s
		prefill-retry-backoff:s tls-min-version:s tls-cipher-suites:s `
	configurable = "tracing:b configuration:s configuration-file:s "
	eppFlags     = zapFlags + `grpc-port:s=9002 grpc-health-port:s=9003 metrics-port:s=9090 pool-name:s pool-namespace:s pool-group:s
		config-file:s config-text:s secure-serving:b=true health-checking:b cert-path:s metrics-endpoint-auth:b=true v:s
		ha-enable-leader-election:b refresh-metrics-interval:s refresh-prometheus-metrics-interval:s
		metrics-staleness-threshold:s total-queued-requests-metric:s total-running-requests-metric:s
		kv-cache-usage-percentage-metric:s lora-info-metric:s cache-info-metric:s enable-pprof:b=true `
	routerFlags = `endpoint-selector:s endpoint-target-ports:s disable-endpoint-subset-filter:b drain-timeout:s
		grpc-max-recv-msg-size:s grpc-max-send-msg-size:s enable-cert-reload:b enable-grpc-stream-metrics:b
		metrics-client-ca-file:s metrics-cert-dir:s allow-experimental-plugins:b `
)

var flagTables = map[string]string{
	"sidecar":   sidecarFlags + sidecarOld + "v:s",
	"sidecar09": sidecarFlags + sidecarOld + configurable,
	"sidecar10": sidecarFlags + sidecar10 + configurable,
	"eppOld":    eppFlags + "poolName:s poolNamespace:s grpcPort:s grpcHealthPort:s metricsPort:s configFile:s",
	"epp":       eppFlags + "tracing:b=true",
	"eppRouter": eppFlags + routerFlags + "tracing:b=true",
	"simulator": `port:s=8000 model:s served-model-name:s lora-modules:s max-loras:s max-cpu-loras:s max-num-seqs:s
		max-model-len:s mode:s=random inter-token-latency:s time-to-first-token:s kv-cache-transfer-latency:s seed:s
		enable-kvcache:b kv-cache-size:s block-size:s hash-seed:s zmq-endpoint:s event-batch-size:s data-parallel-size:s
		data-parallel-rank:s fake-metrics:s config:s failure-injection-rate:s v:s`,
	"gateway": "port:s=8080",
}

// options are what a command line says; every flag of the table is there.
type options struct {
	values map[string]string
	set    map[string]bool
}

func (o options) on(name string) bool { return o.values[name] == "true" }

// parse reads args (with EMITTER_CHECK it ends there) with Go's flag or with pflag, whichever the version modelled uses.
func parse(b behaviour, args []string) (options, error) {
	std := flag.NewFlagSet(os.Args[0], flag.ContinueOnError)
	std.SetOutput(io.Discard)
	switches := map[string]*bool{}
	texts := map[string]*string{}
	for _, word := range strings.Fields(flagTables[b.flags]) {
		name, kind, _ := strings.Cut(word, ":")
		kind, value, _ := strings.Cut(kind, "=")
		if kind == "b" {
			switches[name] = std.Bool(name, value == "true", "")
		} else {
			texts[name] = std.String(name, value, "")
		}
	}
	o := options{values: map[string]string{}, set: map[string]bool{}}
	if b.goFlags {
		if err := std.Parse(args); err != nil {
			helpAndExit(err, std.PrintDefaults, std.SetOutput)
			return o, &flagError{err}
		}
		std.Visit(func(f *flag.Flag) { o.set[f.Name] = true })
	} else {
		posix := pflag.NewFlagSet(os.Args[0], pflag.ContinueOnError)
		posix.SetOutput(io.Discard)
		posix.AddGoFlagSet(std)
		if err := posix.Parse(args); err != nil {
			helpAndExit(err, posix.PrintDefaults, posix.SetOutput)
			return o, &flagError{err}
		}
		posix.Visit(func(f *pflag.Flag) { o.set[f.Name] = true })
	}
	for name, value := range switches {
		o.values[name] = fmt.Sprint(*value)
	}
	for name, value := range texts {
		o.values[name] = *value
	}
	if err := o.configure(); err != nil {
		return o, err
	}
	if os.Getenv("EMITTER_CHECK") != "" {
		fmt.Fprintln(os.Stderr, "emitter: the command line is fine")
		os.Exit(0)
	}
	return o, nil
}

// helpAndExit answers --help as programs do that parse with either package.
func helpAndExit(err error, print func(), to func(io.Writer)) {
	if !errors.Is(err, flag.ErrHelp) && !errors.Is(err, pflag.ErrHelp) {
		return
	}
	fmt.Fprintf(os.Stderr, "Usage of %s:\n", os.Args[0])
	to(os.Stderr)
	print()
	os.Exit(0)
}

// configure fills what the command line did not say from --configuration or --configuration-file.
func (o options) configure() error {
	text := []byte(o.values["configuration"])
	if file := o.values["configuration-file"]; file != "" {
		var err error
		if text, err = os.ReadFile(file); err != nil {
			return err
		}
	}
	var settings map[string]any
	if err := yaml.Unmarshal(text, &settings); err != nil {
		return fmt.Errorf("--configuration: %w", err)
	}
	for name, value := range settings {
		if _, known := o.values[name]; known && !o.set[name] {
			o.values[name] = fmt.Sprint(value)
		}
	}
	if connector := o.values["kv-connector"]; connector != "" &&
		!strings.Contains(" nixlv2 shared-storage sglang mooncake offloading ", " "+connector+" ") {
		return errors.New("--kv-connector must be one of: nixlv2, shared-storage, sglang, mooncake, offloading")
	}
	return nil
}
