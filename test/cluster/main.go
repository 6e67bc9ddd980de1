// SPDX-License-Identifier: Apache-2.0

// Command cluster is a real Kubernetes control plane as a test fixture: etcd, API server,
// controller manager and scheduler linked as Go modules, and a scripted kubelet that stands in
// for a node. One binary; the first argument chooses the part, `up` starts them all.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/coredns/coredns/coremain"
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/template"
	"github.com/spf13/cobra"
	"k8s.io/component-base/cli"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	kcm "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	nodekubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

const usage = `usage:
  cluster up --dir DIR [--port N] [--no-scheduler] [--node [--images TAR,…]]
                                    start everything, stay until SIGTERM; exit 3: no node is possible here
  cluster restart-apiserver DIR     stop the API server of a running cluster and start it again
  cluster stop-apiserver DIR        stop it
  cluster start-apiserver DIR       start it again
  cluster restart-node DIR          the real node loses its power for a moment
  cluster etcd DIR PORT | kube-apiserver … | kube-controller-manager … | kube-scheduler … | kubelet … |
          kube-proxy … | coredns … | scripted-kubelet KUBECONFIG
`

// fatal tells the error, but for one that another process of ours has told. 3: there can be no node on this machine.
func fatal(err error) {
	var told ended
	if errors.As(err, &told) {
		os.Exit(int(told))
	}
	fmt.Fprintln(os.Stderr, "cluster:", err)
	var none noNode
	if errors.As(err, &none) {
		os.Exit(3)
	}
	os.Exit(1)
}

// component runs one of upstream's commands with the remaining arguments.
func component(name string) *cobra.Command {
	switch name {
	case "kube-apiserver":
		return apiserver.NewAPIServerCommand()
	case "kube-controller-manager":
		return kcm.NewControllerManagerCommand()
	case "kube-scheduler":
		return scheduler.NewSchedulerCommand()
	case "kubelet":
		return nodekubelet.NewKubeletCommand(context.Background())
	case "kube-proxy":
		return proxy.NewProxyCommand()
	}
	return nil
}

// start is `up` on one of its three levels: with a node it starts node-init in namespaces, and that one node-up.
func start(level string, args []string) error {
	o, err := parseUp(args)
	if err != nil {
		return err
	}
	switch {
	case level == "node-init":
		return nodeInit(o)
	case level == "up" && o.node:
		return upNode(o)
	}
	return up(o)
}

func main() {
	if len(os.Args) < 2 {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	name := os.Args[1]
	os.Args = append([]string{name}, os.Args[2:]...)
	if c := component(name); c != nil {
		os.Exit(cli.Run(c))
	}
	if name == "coredns" {
		coremain.Run()
		return
	}
	args := os.Args[1:]
	var err error
	switch {
	case name == "up" || name == "node-init" || name == "node-up":
		err = start(name, args)
	case name == "etcd" && len(args) == 2:
		err = runEtcd(args[0], args[1])
	case name == "scripted-kubelet" && len(args) == 1:
		err = runKubelet(args[0])
	case (name == "restart-apiserver" || name == "stop-apiserver" || name == "start-apiserver" || name == "restart-node") && len(args) == 1:
		err = control(args[0], name)
	default:
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	if err != nil {
		fatal(err)
	}
}
