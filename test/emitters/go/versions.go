// SPDX-License-Identifier: Apache-2.0

package main

import (
	"path"
	"regexp"
	"strconv"
	"strings"
)

// version is major, minor, patch; one that the tag does not tell is newest.
type version [3]int

var newest = version{1 << 30}

func (v version) below(w version) bool {
	for i := range v {
		if v[i] != w[i] {
			return v[i] < w[i]
		}
	}
	return false
}

// The spans that an endpoint picker makes of one request.
type picks int

const (
	picksNothing       picks = iota
	picksGeneric             // no span of its own, only bare GETs of its HTTP client
	picksRequest             // gateway.request
	picksOrchestration       // and gateway.request_orchestration
	picksLLMD                // and llm-d's: profiles and prefix scores
	picksDetailed            // and each stage of scheduling
)

// behaviour is what one version of one program does. Sources: LLMD.md §2 (proxy), §3 (EPP), §1.7 (simulator), §9
// (measured with the real binaries, wins).
type behaviour struct {
	flags       string // the name of a flag table in flags.go
	flagExit    int    // exit code of an unknown flag
	goFlags     bool   // parses with Go's flag package: a bare word ends the flags
	alwaysOn    bool   // traces without being asked, over plaintext OTLP, by OTEL_TRACES_SAMPLER_ARG alone
	tracingOn   bool   // the default of --tracing
	insecure    bool   // plaintext whatever the scheme says; a bare host:port works
	reads       bool   // an inbound traceparent is the parent
	propagates  bool   // the outbound request carries a traceparent
	picks       picks
	serviceName string // when OTEL_SERVICE_NAME is not set
}

type row struct {
	image string  // the last part of the reference's name, as path.Match has it
	below version // the first version that this row does not hold for
	behaviour
}

const (
	schedulerName = "llm-d-inference-scheduler"
	sidecarName   = "llm-d-disagg-sidecar"
	gaieName      = "gateway-api-inference-extension"
)

var table = []row{
	{"llm-d-routing-sidecar*", version{0, 6}, behaviour{flags: "sidecar", flagExit: 2}},
	{"llm-d-routing-sidecar*", version{0, 9}, behaviour{flags: "sidecar", flagExit: 2, alwaysOn: true, insecure: true, reads: true, serviceName: schedulerName}},
	{"llm-d-routing-sidecar*", version{1 << 29}, behaviour{flags: "sidecar09", flagExit: 2, insecure: true, reads: true, serviceName: sidecarName}},
	// A tag that tells nothing: the name ended with 0.8.
	{"llm-d-routing-sidecar*", newest, behaviour{flags: "sidecar", flagExit: 2, alwaysOn: true, insecure: true, reads: true, serviceName: schedulerName}},
	{"llm-d-router-disagg-sidecar*", version{0, 10}, behaviour{flags: "sidecar09", flagExit: 2, insecure: true, reads: true, serviceName: sidecarName}},
	{"llm-d-router-disagg-sidecar*", newest, behaviour{flags: "sidecar10", flagExit: 2, reads: true, propagates: true, serviceName: sidecarName}},

	{"llm-d-inference-scheduler*", version{0, 4}, behaviour{flags: "eppOld", flagExit: 2, goFlags: true}},
	{"llm-d-inference-scheduler*", version{0, 5}, behaviour{flags: "epp", flagExit: 2, goFlags: true, tracingOn: true, insecure: true, picks: picksGeneric, serviceName: gaieName}},
	{"llm-d-inference-scheduler*", version{0, 6}, behaviour{flags: "epp", flagExit: 1, tracingOn: true, insecure: true, picks: picksGeneric, serviceName: gaieName}},
	{"llm-d-inference-scheduler*", newest, behaviour{flags: "epp", flagExit: 1, alwaysOn: true, tracingOn: true, insecure: true, picks: picksLLMD, serviceName: schedulerName}},
	{"llm-d-router-endpoint-picker*", version{0, 10}, behaviour{flags: "eppRouter", flagExit: 1, tracingOn: true, insecure: true, reads: true, propagates: true, picks: picksLLMD, serviceName: "llm-d-epp"}},
	{"llm-d-router-endpoint-picker*", newest, behaviour{flags: "eppRouter", flagExit: 1, tracingOn: true, reads: true, propagates: true, picks: picksDetailed, serviceName: "llm-d-epp"}},
	{"lwepp*", newest, behaviour{flags: "eppOld", flagExit: 1}},
	{"epp*", version{1, 1}, behaviour{flags: "eppOld", flagExit: 2, goFlags: true}},
	{"epp*", version{1, 3}, behaviour{flags: "epp", flagExit: 2, goFlags: true, tracingOn: true, insecure: true, picks: picksGeneric, serviceName: gaieName}},
	{"epp*", version{1, 4}, behaviour{flags: "epp", flagExit: 1, tracingOn: true, insecure: true, picks: picksGeneric, serviceName: gaieName}},
	{"epp*", version{1, 5}, behaviour{flags: "epp", flagExit: 1, tracingOn: true, insecure: true, picks: picksRequest, serviceName: gaieName}},
	{"epp*", newest, behaviour{flags: "epp", flagExit: 1, tracingOn: true, insecure: true, picks: picksOrchestration, serviceName: gaieName}},

	{"*inference-sim*", newest, behaviour{flags: "simulator", flagExit: 0}},
	{"*", newest, behaviour{flags: "gateway", flagExit: 2}},
}

var number = regexp.MustCompile(`^v?(\d+)\.(\d+)(?:\.(\d+))?(?:\D|$)`)

func split(reference string) (string, version) {
	reference, _, _ = strings.Cut(reference, "@")
	name, tag, _ := strings.Cut(path.Base(reference), ":")
	found := number.FindStringSubmatch(tag)
	if found == nil {
		return name, newest
	}
	var v version
	for i := range v {
		v[i], _ = strconv.Atoi(found[i+1])
	}
	return name, v
}

func behaviourOf(reference string) behaviour {
	name, v := split(reference)
	for _, r := range table {
		if fits, _ := path.Match(r.image, name); fits && (v.below(r.below) || r.below == newest) {
			return r.behaviour
		}
	}
	panic("the last row fits everything")
}
