// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"embed"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/template"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

const (
	containerdSocket = "/run/containerd/containerd.sock"
	gpus             = `{"status":{"capacity":{"nvidia.com/gpu":"64"},"allocatable":{"nvidia.com/gpu":"64"}}}`
	nobodyKnows      = `{"status":{"conditions":[{"type":"Ready","status":"Unknown","reason":"NodeStatusUnknown","message":"Kubelet stopped posting node status."}]}}`
)

//go:embed node
var nodeFiles embed.FS

// noNode is why this machine cannot have a node, as the end of a sentence.
type noNode struct{ why string }

func (n noNode) Error() string { return "this machine cannot have a node: " + n.why }

// cniFolder is where the distributions put the CNI plugins.
func cniFolder() (string, error) {
	folders := []string{"/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni"}
	for _, folder := range folders {
		complete := true
		for _, plugin := range []string{"ptp", "host-local", "loopback"} {
			_, err := os.Stat(filepath.Join(folder, plugin))
			complete = complete && err == nil
		}
		if complete {
			return folder, nil
		}
	}
	return "", noNode{"the CNI plugins ptp, host-local and loopback are in none of " + strings.Join(folders, ", ") + " (hack/setup installs them)"}
}

// writeNodeFiles fills in the configuration of the node's parts.
func writeNodeFiles(dir, cgroup string) error {
	cni, err := cniFolder()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(dir, "cni"), 0o700); err != nil {
		return err
	}
	values := struct{ Dir, Cgroup, CNI, Address string }{dir, cgroup, cni, nodeAddress}
	for _, name := range []string{"containerd.toml", "kubelet.yaml", "Corefile", "pods.conflist"} {
		text, err := template.ParseFS(nodeFiles, "node/"+name)
		if err != nil {
			return err
		}
		path := filepath.Join(dir, name)
		if strings.HasSuffix(name, ".conflist") {
			path = filepath.Join(dir, "cni", name) // a folder of its own: every file in it is taken for a network
		}
		file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
		if err != nil {
			return err
		}
		err = text.Execute(file, values)
		if closed := file.Close(); err == nil {
			err = closed
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func awaitContainerd(ctx context.Context) error {
	return await(ctx, "containerd answers", func(context.Context) bool {
		conn, err := net.Dial("unix", containerdSocket)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
}

// prepareContainerd gives it the images without which no pod starts.
func (c *cluster) prepareContainerd(ctx context.Context) error {
	if err := awaitContainerd(ctx); err != nil {
		return err
	}
	for _, archive := range strings.Split(c.images, ",") {
		if archive == "" {
			continue
		}
		output, err := exec.CommandContext(ctx, "ctr", "--namespace", "k8s.io", "images", "import", archive).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%s: %w: %s; see containerd.log", archive, err, output)
		}
	}
	return nil
}

func (c *cluster) patchNode(ctx context.Context, status string) error {
	_, err := c.client.CoreV1().Nodes().Patch(ctx, nodeName, types.StrategicMergePatchType, []byte(status), metav1.PatchOptions{}, "status")
	return err
}

// restartNode is a power cut of the machine, but for the control plane, kube-proxy and CoreDNS. What the node
// controller would say of the node after 40 s is said at once: so that "Ready" afterwards is the new kubelet's word.
func (c *cluster) restartNode() error {
	if !c.node {
		return fmt.Errorf("this cluster has no real node")
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	c.kubelet.stop()
	c.containerd.stop()
	if err := killContainers(c.cgroup); err != nil {
		return err
	}
	if err := c.patchNode(ctx, nobodyKnows); err != nil {
		return err
	}
	if err := c.containerd.start(c.dir, c.died); err != nil {
		return err
	}
	if err := awaitContainerd(ctx); err != nil {
		return err
	}
	if err := c.kubelet.start(c.dir, c.died); err != nil {
		return err
	}
	if err := await(ctx, "node Ready again", c.nodeReady); err != nil {
		return err
	}
	return c.patchNode(ctx, gpus)
}

// relay brings connections from the machine's own loopback to the API server. The listener came to us as an open
// file: a socket stays in the net namespace in which it was made.
func relay(to string) {
	file := os.NewFile(relayFile, "relay")
	listener, err := net.FileListener(file)
	if err != nil {
		fmt.Fprintln(os.Stderr, "cluster: relay:", err)
		return
	}
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go carry(conn.(*net.TCPConn), to)
	}
}

func carry(outside *net.TCPConn, to string) {
	defer outside.Close()
	conn, err := net.Dial("tcp", to)
	if err != nil {
		return // as if nobody listened
	}
	inside := conn.(*net.TCPConn)
	defer inside.Close()
	done := make(chan struct{})
	go func() {
		_, _ = io.Copy(inside, outside)
		_ = inside.CloseWrite()
		close(done)
	}()
	_, _ = io.Copy(outside, inside)
	_ = outside.CloseWrite()
	<-done
}
