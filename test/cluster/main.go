// SPDX-License-Identifier: Apache-2.0

// Command cluster is a real Kubernetes control plane as a test fixture: etcd, API server,
// controller manager and scheduler linked as Go modules, and a scripted kubelet that stands in
// for a node. One binary; the first argument chooses the part, `up` starts them all.
package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"k8s.io/component-base/cli"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	kcm "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
)

const usage = `usage:
  cluster up --dir DIR [--port N] [--no-scheduler]
                                    start everything, stay until SIGTERM
  cluster restart-apiserver DIR     stop the API server of a running cluster and start it again
  cluster stop-apiserver DIR        stop it
  cluster start-apiserver DIR       start it again
  cluster etcd DIR PORT | kube-apiserver … | kube-controller-manager … | kube-scheduler … | scripted-kubelet KUBECONFIG
`

func fatal(err error) {
	fmt.Fprintln(os.Stderr, "cluster:", err)
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
	}
	return nil
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
	args := os.Args[1:]
	var err error
	switch {
	case name == "up":
		err = up(args)
	case name == "etcd" && len(args) == 2:
		err = runEtcd(args[0], args[1])
	case name == "scripted-kubelet" && len(args) == 1:
		err = runKubelet(args[0])
	case (name == "restart-apiserver" || name == "stop-apiserver" || name == "start-apiserver") && len(args) == 1:
		err = control(args[0], name)
	default:
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	if err != nil {
		fatal(err)
	}
}
