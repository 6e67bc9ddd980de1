// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"

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

const auditPolicy = `{"apiVersion":"audit.k8s.io/v1","kind":"Policy","omitStages":["RequestReceived"],"rules":[{"level":"Metadata"}]}`

// child is one part of the cluster: its own binary again, with another first argument.
type child struct {
	name string
	args []string
	cmd  *exec.Cmd
	done chan error
}

// start runs the child so that it dies with us, however we die.
func (c *child) start(dir string) error {
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
	started := make(chan error)
	go func() {
		// PDEATHSIG follows the thread that forked: keep it for as long as the child lives.
		runtime.LockOSThread()
		defer log.Close()
		err := c.cmd.Start()
		started <- err
		if err == nil {
			c.done <- c.cmd.Wait()
		}
	}()
	return <-started
}

func (c *child) stop() {
	if c.cmd == nil || c.cmd.Process == nil {
		return
	}
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
		"--audit-policy-file=audit-policy.json", "--audit-log-path=audit.log", "--audit-log-format=json",
		"--shutdown-delay-duration=0s", "--watch-cache=true",
	}
}

func (c *cluster) children(etcdPort, port string) {
	c.etcd = &child{name: "etcd", args: []string{"etcd", etcdPort}}
	c.apiserver = &child{name: "kube-apiserver", args: apiserverArgs(etcdPort, port)}
	c.others = []*child{
		{name: "kube-controller-manager", args: []string{
			"--kubeconfig=kcm.kubeconfig", "--authentication-kubeconfig=kcm.kubeconfig", "--authorization-kubeconfig=kcm.kubeconfig",
			"--leader-elect=false", "--use-service-account-credentials", "--bind-address=127.0.0.1", "--secure-port=0",
			"--root-ca-file=ca.crt", "--service-account-private-key-file=sa.key", "--concurrent-deployment-syncs=10",
			"--kube-api-qps=500", "--kube-api-burst=500"}},
		{name: "kube-scheduler", args: []string{
			"--kubeconfig=scheduler.kubeconfig", "--authentication-kubeconfig=scheduler.kubeconfig",
			"--authorization-kubeconfig=scheduler.kubeconfig", "--leader-elect=false", "--bind-address=127.0.0.1", "--secure-port=0",
			"--kube-api-qps=500", "--kube-api-burst=500"}},
		{name: "scripted-kubelet", args: []string{"kubelet.kubeconfig"}},
	}
}

type cluster struct {
	dir       string
	client    kubernetes.Interface
	etcd      *child
	apiserver *child
	others    []*child
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
	_, err := c.client.CoreV1().Nodes().Get(ctx, nodeName, metav1.GetOptions{})
	return err == nil
}

func (c *cluster) begin(ctx context.Context) error {
	if err := c.etcd.start(c.dir); err != nil {
		return err
	}
	if err := c.apiserver.start(c.dir); err != nil {
		return err
	}
	if err := await(ctx, "API server ready", c.apiReady); err != nil {
		return err
	}
	for _, o := range c.others {
		if err := o.start(c.dir); err != nil {
			return err
		}
	}
	return await(ctx, "node and default service account", c.ready)
}

func prepare(dir string) (*cluster, error) {
	dir, err := filepath.Abs(dir)
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
	port, err := freePort()
	if err != nil {
		return nil, err
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
	c := &cluster{dir: dir, client: client}
	c.children(etcdPort, port)
	return c, nil
}

// up starts everything and stays until it is told to stop or a part dies on its own.
func up(dir string) error {
	began := time.Now()
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	c, err := prepare(dir)
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
	case <-signals:
		cancel()
		<-failed
		return errors.New("stopped while starting")
	}
	commands, err := c.listen()
	if err != nil {
		return err
	}
	defer commands.Close()
	fmt.Printf("ready in %.1f s, kubeconfig %s\n", time.Since(began).Seconds(), filepath.Join(c.dir, "admin.kubeconfig"))
	<-signals
	return nil
}
