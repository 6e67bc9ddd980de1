// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

const (
	annotationLog = "scripted-kubelet/log" // what every container of the pod has written
	maxLogBytes   = 64 << 10               // the end of a longer one is kept
)

// listenForLogs opens the kubelet's own HTTPS port, which only the API server may use: its certificate is asked for.
func listenForLogs() (net.Listener, error) {
	certificate, err := tls.LoadX509KeyPair("kubelet.crt", "kubelet.key")
	if err != nil {
		return nil, err
	}
	ca, err := os.ReadFile("ca.crt")
	if err != nil {
		return nil, err
	}
	clients := x509.NewCertPool()
	if !clients.AppendCertsFromPEM(ca) {
		return nil, errors.New("ca.crt holds no certificate")
	}
	return tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{certificate},
		ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients,
	})
}

func (k *kubelet) serveLogs(l net.Listener) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /containerLogs/{namespace}/{pod}/{container}", k.containerLog)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	log.Fatal(server.Serve(l))
}

func (k *kubelet) containerLog(w http.ResponseWriter, r *http.Request) {
	namespace, name, container := r.PathValue("namespace"), r.PathValue("pod"), r.PathValue("container")
	object, exists, err := k.pods.GetByKey(namespace + "/" + name)
	if err != nil || !exists {
		http.Error(w, fmt.Sprintf("pod %q does not exist", name), http.StatusNotFound)
		return
	}
	pod := object.(*corev1.Pod)
	status := statusOf(pod, container)
	if status == nil {
		http.Error(w, fmt.Sprintf("container %q not found in pod %q", container, name), http.StatusNotFound)
		return
	}
	// A container that waits for its next start shows what the last one wrote, with --previous or without.
	if r.URL.Query().Get("previous") == "true" && status.LastTerminationState.Terminated == nil {
		http.Error(w, fmt.Sprintf("previous terminated container %q in pod %q not found", container, name), http.StatusBadRequest)
		return
	}
	text, err := cut(pod.Annotations[annotationLog], r.URL.Query())
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/plain")
	_, _ = io.WriteString(w, text)
}

func statusOf(pod *corev1.Pod, container string) *corev1.ContainerStatus {
	for _, list := range [][]corev1.ContainerStatus{pod.Status.ContainerStatuses, pod.Status.InitContainerStatuses} {
		for i := range list {
			if list[i].Name == container {
				return &list[i]
			}
		}
	}
	return nil
}

// cut gives the last tailLines lines of a log, and of these the first limitBytes.
func cut(text string, query url.Values) (string, error) {
	text = text[max(0, len(text)-maxLogBytes):]
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	if query.Has("tailLines") {
		n, err := strconv.Atoi(query.Get("tailLines"))
		if err != nil || n < 0 {
			return "", errors.New("tailLines: not a number of lines")
		}
		lines := strings.SplitAfter(text, "\n")
		lines = lines[:len(lines)-1] // after the last newline nothing comes
		text = strings.Join(lines[max(0, len(lines)-n):], "")
	}
	if query.Has("limitBytes") {
		n, err := strconv.Atoi(query.Get("limitBytes"))
		if err != nil || n < 1 {
			return "", errors.New("limitBytes: not a number of bytes")
		}
		text = text[:min(len(text), n)]
	}
	return text, nil
}
