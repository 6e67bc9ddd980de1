// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

const (
	serviceRange = "127.96.0.0/16" // inside loopback: nothing can leave the machine
	startTimeout = 120 * time.Second
	stopTimeout  = 15 * time.Second
)

var serviceIP = net.IPv4(127, 96, 0, 1)

// The scripted kubelet looks at a few kinds several times a second; its requests would only bury the others.
const auditPolicy = `{"apiVersion":"audit.k8s.io/v1","kind":"Policy","omitStages":["RequestReceived"],` +
	`"rules":[{"level":"None","users":["scripted-kubelet"]},{"level":"Metadata"}]}`

// child is one part of the cluster: its own binary again, with another first argument.
type child struct {
	name     string
	args     []string
	cmd      *exec.Cmd
	done     chan error
	stopping atomic.Bool
}

// start runs the child so that it dies with us, however we die. A name on died says that it ended unasked.
func (c *child) start(dir string, died chan<- string) error {
	log, err := os.OpenFile(filepath.Join(dir, c.name+".log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	c.cmd = exec.Command(self, append([]string{c.name}, c.args...)...)
	c.cmd.Stdout, c.cmd.Stderr, c.cmd.Dir = log, log, dir
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	c.done = make(chan error, 1)
	c.stopping.Store(false)
	started := make(chan error)
	go func() {
		// PDEATHSIG follows the thread that forked: keep it for as long as the child lives.
		runtime.LockOSThread()
		defer log.Close()
		err := c.cmd.Start()
		started <- err
		if err != nil {
			return
		}
		err = c.cmd.Wait()
		if !c.stopping.Load() {
			died <- fmt.Sprintf("%s (%v); see %s.log", c.name, err, c.name)
		}
		c.done <- err
	}()
	return <-started
}

func (c *child) stop() {
	if c.cmd == nil || c.cmd.Process == nil {
		return
	}
	c.stopping.Store(true)
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-c.done:
	case <-time.After(stopTimeout):
		_ = c.cmd.Process.Kill()
		<-c.done
	}
	c.cmd = nil
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port), nil
}

// apiserverArgs in one place, since the API server is also restarted in the middle of tests.
func apiserverArgs(etcdPort, port string) []string {
	return []string{
		"--etcd-servers=http://127.0.0.1:" + etcdPort, "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1",
		"--endpoint-reconciler-type=none", "--secure-port=" + port,
		"--tls-cert-file=apiserver.crt", "--tls-private-key-file=apiserver.key", "--client-ca-file=ca.crt",
		"--service-account-key-file=sa.pub", "--service-account-signing-key-file=sa.key",
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-cluster-ip-range=" + serviceRange, "--authorization-mode=RBAC", "--allow-privileged=true",
		"--audit-policy-file=audit-policy.json", "--audit-log-path=audit.log", "--audit-log-format=json", "--audit-log-maxsize=4096",
		"--shutdown-delay-duration=0s", "--shutdown-watch-termination-grace-period=1s",
	}
}

func (c *cluster) children(etcdPort, port string, scheduler bool) {
	c.etcd = &child{name: "etcd", args: []string{"etcd", etcdPort}}
	c.apiserver = &child{name: "kube-apiserver", args: apiserverArgs(etcdPort, port)}
	c.others = []*child{
		{name: "kube-controller-manager", args: []string{
			"--kubeconfig=kcm.kubeconfig", "--authentication-kubeconfig=kcm.kubeconfig", "--authorization-kubeconfig=kcm.kubeconfig",
			"--leader-elect=false", "--use-service-account-credentials", "--bind-address=127.0.0.1", "--secure-port=0",
			"--root-ca-file=ca.crt", "--service-account-private-key-file=sa.key", "--concurrent-deployment-syncs=10",
			"--kube-api-qps=500", "--kube-api-burst=500"}},
		{name: "scripted-kubelet", args: []string{"kubelet.kubeconfig"}},
	}
	if scheduler {
		c.others = append(c.others, &child{name: "kube-scheduler", args: []string{
			"--kubeconfig=scheduler.kubeconfig", "--authentication-kubeconfig=scheduler.kubeconfig",
			"--authorization-kubeconfig=scheduler.kubeconfig", "--leader-elect=false", "--bind-address=127.0.0.1", "--secure-port=0",
			"--kube-api-qps=500", "--kube-api-burst=500"}})
	}
}

type cluster struct {
	dir       string
	client    kubernetes.Interface
	etcd      *child
	apiserver *child
	others    []*child
	died      chan string
}

func (c *cluster) stop() {
	for _, o := range c.others {
		o.stop()
	}
	c.apiserver.stop()
	c.etcd.stop()
}

// await polls until the condition holds; the API server's start is the only thing that is waited for.
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

func (c *cluster) ready(ctx context.Context) bool {
	if _, err := c.client.CoreV1().ServiceAccounts("default").Get(ctx, "default", metav1.GetOptions{}); err != nil {
		return false
	}
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

// writePids lists the processes, one `PID name` a line.
func (c *cluster) writePids() error {
	lines := fmt.Sprintf("%d up\n", os.Getpid())
	for _, o := range append([]*child{c.etcd, c.apiserver}, c.others...) {
		lines += fmt.Sprintf("%d %s\n", o.cmd.Process.Pid, o.name)
	}
	return os.WriteFile(filepath.Join(c.dir, "pids"), []byte(lines), 0o600)
}

func (c *cluster) begin(ctx context.Context) error {
	if err := c.etcd.start(c.dir, c.died); err != nil {
		return err
	}
	if err := c.apiserver.start(c.dir, c.died); err != nil {
		return err
	}
	if err := await(ctx, "API server ready", c.apiReady); err != nil {
		return err
	}
	for _, o := range c.others {
		if err := o.start(c.dir, c.died); err != nil {
			return err
		}
	}
	return await(ctx, "node and default service account", c.ready)
}

func prepare(o options) (*cluster, error) {
	dir, err := filepath.Abs(o.dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(dir, "ca.crt")); err == nil {
		return nil, fmt.Errorf("%s has been used already; give a new folder", dir)
	}
	etcdPort, err := freePort()
	if err != nil {
		return nil, err
	}
	port := o.port
	if port == "0" {
		if port, err = freePort(); err != nil {
			return nil, err
		}
	}
	if err := makePKI(dir, "https://127.0.0.1:"+port, serviceIP); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "audit-policy.json"), []byte(auditPolicy), 0o600); err != nil {
		return nil, err
	}
	config, err := clientcmd.BuildConfigFromFlags("", filepath.Join(dir, "admin.kubeconfig"))
	if err != nil {
		return nil, err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	c := &cluster{dir: dir, client: client, died: make(chan string, 8)}
	c.children(etcdPort, port, !o.noScheduler)
	return c, nil
}

type options struct {
	dir         string
	port        string
	noScheduler bool
}

func parseUp(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("up", flag.ContinueOnError)
	flags.StringVar(&o.dir, "dir", "", "new folder for everything that this cluster writes")
	flags.StringVar(&o.port, "port", "0", "of the API server; 0 takes a free one")
	flags.BoolVar(&o.noScheduler, "no-scheduler", false, "leave pods unscheduled")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.dir == "" || flags.NArg() > 0 {
		return o, errors.New("up needs --dir DIR and takes no other words")
	}
	return o, nil
}

// up starts everything and stays until it is told to stop or a part dies on its own.
func up(args []string) error {
	o, err := parseUp(args)
	if err != nil {
		return err
	}
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
	fmt.Printf("ready in %.1f s, kubeconfig %s\n", time.Since(began).Seconds(), filepath.Join(c.dir, "admin.kubeconfig"))
	select {
	case name := <-c.died:
		return errors.New(name)
	case <-signals:
		return nil
	}
}
