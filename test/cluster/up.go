// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

const startTimeout = 120 * time.Second

type cluster struct {
	options
	client     kubernetes.Interface
	etcd       *child
	apiserver  *child
	containerd *child // with a real node, as the kubelet
	kubelet    *child
	others     []*child // all that need the API server, the kubelet too
	died       chan string
	pids       sync.Mutex // over the file
}

type options struct {
	dir         string
	port        string
	noScheduler bool
	node        bool
	cgroup      string // of the node
	images      string
}

func parseUp(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("up", flag.ContinueOnError)
	flags.StringVar(&o.dir, "dir", "", "new folder for everything that this cluster writes")
	flags.StringVar(&o.port, "port", "0", "of the API server; 0 takes a free one")
	flags.BoolVar(&o.noScheduler, "no-scheduler", false, "leave pods unscheduled")
	flags.BoolVar(&o.node, "node", false, "with a real node")
	flags.StringVar(&o.images, "images", "", "archives that the node gets at its start, separated by commas")
	flags.StringVar(&o.cgroup, "cgroup", "", "of the node; set by up itself")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.dir == "" || flags.NArg() > 0 {
		return o, errors.New("up needs --dir DIR and takes no other words")
	}
	dir, err := filepath.Abs(o.dir)
	o.dir = dir
	return o, err
}

// freePort is one that nobody has, `but` neither, and that the kernel gives nobody by itself: who dials a port of its own
// range before a server listens there may get that very port as the near end, and then the server does not.
func freePort(but string) (string, error) {
	const first, usual = 20000, 32768
	end := usual
	if text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range"); err == nil {
		_, _ = fmt.Sscan(string(text), &end)
	}
	if end <= first { // it leaves no room
		end = usual
	}
	for range 100 {
		port := strconv.Itoa(first + rand.IntN(end-first))
		if port == but {
			continue
		}
		if l, err := net.Listen("tcp", "127.0.0.1:"+port); err == nil {
			return port, l.Close()
		}
	}
	return "", fmt.Errorf("no port from %d to %d is free", first, end)
}

func (c *cluster) stop() {
	for _, o := range c.others {
		o.stop()
	}
	c.containerd.stop()
	c.apiserver.stop()
	c.etcd.stop()
}

// await polls until the condition holds; only starting parts are waited for.
func await(ctx context.Context, what string, condition func(context.Context) bool) error {
	for !condition(ctx) {
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: not within %v; see the *.log files", what, startTimeout)
		case <-time.After(50 * time.Millisecond):
		}
	}
	return nil
}

func (c *cluster) apiReady(ctx context.Context) bool {
	body, err := c.client.CoreV1().RESTClient().Get().AbsPath("/readyz").DoRaw(ctx)
	return err == nil && string(body) == "ok"
}

// nodeReady: the node is Ready, and pods may be put on it.
func (c *cluster) nodeReady(ctx context.Context) bool {
	node, err := c.client.CoreV1().Nodes().Get(ctx, nodeName, metav1.GetOptions{})
	if err != nil || len(node.Spec.Taints) > 0 {
		return false
	}
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}

func (c *cluster) ready(ctx context.Context) bool {
	_, err := c.client.CoreV1().ServiceAccounts("default").Get(ctx, "default", metav1.GetOptions{}) // without it pods are refused
	return err == nil && c.nodeReady(ctx)
}

// writePids lists the processes, one `PID name` a line.
func (c *cluster) writePids() error {
	c.pids.Lock()
	defer c.pids.Unlock()
	var lines strings.Builder
	fmt.Fprintf(&lines, "%d up\n", os.Getpid())
	for _, o := range append([]*child{c.containerd, c.etcd, c.apiserver}, c.others...) {
		if o != nil && o.process.Load() != nil {
			fmt.Fprintf(&lines, "%d %s\n", o.process.Load().Pid, o.name)
		}
	}
	return os.WriteFile(filepath.Join(c.dir, "pids"), []byte(lines.String()), 0o600)
}

func (c *cluster) begin(ctx context.Context) error {
	if c.node {
		if err := c.containerd.start(c.dir, c.died); err != nil {
			return err
		}
	}
	if err := c.etcd.start(c.dir, c.died); err != nil {
		return err
	}
	if err := c.apiserver.start(c.dir, c.died); err != nil {
		return err
	}
	if c.node {
		if err := c.prepareContainerd(ctx); err != nil {
			return err
		}
	}
	if err := await(ctx, "API server ready", c.apiReady); err != nil {
		return err
	}
	for _, o := range c.others {
		if err := o.start(c.dir, c.died); err != nil {
			return err
		}
	}
	if err := await(ctx, "node and default service account", c.ready); err != nil {
		return err
	}
	if c.node {
		return c.patchNode(ctx, gpus) // the kubelet keeps a resource that it does not know
	}
	return nil
}

func (c *cluster) makeChildren() error {
	etcdPort, l := "2379", realNode
	if !c.node {
		var err error
		if etcdPort, err = freePort(c.port); err != nil {
			return err
		}
		l = loopback
	}
	if err := makePKI(c.dir, "https://127.0.0.1:"+c.port, l.addresses, l.kubelet); err != nil {
		return err
	}
	c.etcd = part("etcd", "etcd", etcdPort)
	c.apiserver = newAPIServer(l, etcdPort, c.port)
	c.others = []*child{newControllerManager()}
	if !c.noScheduler {
		c.others = append(c.others, newScheduler())
	}
	if !c.node {
		c.others = append(c.others, part("scripted-kubelet", "kubelet.kubeconfig"))
		return nil
	}
	var rest []*child
	c.containerd, rest = newNodeParts()
	c.kubelet = rest[0]
	c.kubelet.restarted = func() { _ = c.writePids() }
	c.others = append(c.others, rest...)
	return writeNodeFiles(c.dir, c.cgroup)
}

// newDir makes the folder of a cluster. One that was used has state in it that would be mixed up with the new.
func newDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, "ca.crt")); err == nil {
		return fmt.Errorf("%s has been used already; give a new folder", dir)
	}
	return nil
}

func prepare(o options) (*cluster, error) {
	if err := newDir(o.dir); err != nil {
		return nil, err
	}
	if o.port == "0" {
		var err error
		if o.port, err = freePort(""); err != nil {
			return nil, err
		}
	}
	c := &cluster{options: o, died: make(chan string, 8)}
	if err := c.makeChildren(); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(o.dir, "audit-policy.json"), []byte(auditPolicy), 0o600); err != nil {
		return nil, err
	}
	config, err := clientcmd.BuildConfigFromFlags("", filepath.Join(o.dir, "admin.kubeconfig"))
	if err != nil {
		return nil, err
	}
	c.client, err = kubernetes.NewForConfig(config)
	return c, err
}

// up starts everything and stays until it is told to stop or a part dies on its own.
func up(o options) error {
	began := time.Now()
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	c, err := prepare(o)
	if err != nil {
		return err
	}
	defer c.stop()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	failed := make(chan error, 1)
	go func() { failed <- c.begin(ctx) }()
	select {
	case err := <-failed:
		if err != nil {
			return err
		}
	case name := <-c.died:
		cancel()
		<-failed
		return errors.New(name)
	case <-signals:
		cancel()
		<-failed
		return errors.New("stopped while starting")
	}
	if err := c.writePids(); err != nil {
		return err
	}
	commands, err := c.listen()
	if err != nil {
		return err
	}
	defer commands.Close()
	if c.node {
		go relay("127.0.0.1:" + c.port)
	}
	fmt.Printf("ready in %.1f s, kubeconfig %s\n", time.Since(began).Seconds(), filepath.Join(c.dir, "admin.kubeconfig"))
	select {
	case name := <-c.died:
		return errors.New(name)
	case <-signals:
		return nil
	}
}
