// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/x509/pkix"
	"net"
)

const (
	nodeAddress = "10.10.0.1" // of the real node, in its own net namespace
	podRange    = "10.244.0.0/16"
)

// The scripted kubelet looks at a few kinds several times a second; its requests would only bury the others.
const auditPolicy = `{"apiVersion":"audit.k8s.io/v1","kind":"Policy","omitStages":["RequestReceived"],` +
	`"rules":[{"level":"None","users":["scripted-kubelet"]},{"level":"Metadata"}]}`

// layout is what differs between the control plane alone, on loopback, and with a real node.
type layout struct {
	apiserver []string // flags
	addresses []net.IP // where the API server is reached
	kubelet   identity
}

var loopback = layout{
	apiserver: []string{
		"--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none",
		"--service-cluster-ip-range=127.96.0.0/16", // inside loopback: nothing can leave the machine
		"--authorization-mode=RBAC",
	},
	addresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv4(127, 96, 0, 1)},
	kubelet: identity{subject: pkix.Name{CommonName: "scripted-kubelet", Organization: []string{"system:masters"}},
		addresses: []net.IP{net.IPv4(127, 0, 0, 1)}},
}

var realNode = layout{
	apiserver: []string{
		"--bind-address=0.0.0.0", "--advertise-address=" + nodeAddress, "--service-cluster-ip-range=10.96.0.0/16",
		"--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction",
	},
	addresses: []net.IP{net.IPv4(127, 0, 0, 1), net.ParseIP(nodeAddress), net.IPv4(10, 96, 0, 1)},
	kubelet: identity{subject: pkix.Name{CommonName: "system:node:" + nodeName, Organization: []string{"system:nodes"}},
		addresses: []net.IP{net.ParseIP(nodeAddress)}},
}

func newAPIServer(l layout, etcdPort, port string) *child {
	return part("kube-apiserver", append([]string{
		"--etcd-servers=http://127.0.0.1:" + etcdPort, "--secure-port=" + port,
		"--tls-cert-file=apiserver.crt", "--tls-private-key-file=apiserver.key", "--client-ca-file=ca.crt",
		"--kubelet-client-certificate=kubelet-client.crt", "--kubelet-client-key=kubelet-client.key",
		"--kubelet-certificate-authority=ca.crt",
		"--kubelet-preferred-address-types=InternalIP", // the node's name resolves nowhere
		"--service-account-key-file=sa.pub", "--service-account-signing-key-file=sa.key",
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local", "--allow-privileged=true",
		"--audit-policy-file=audit-policy.json", "--audit-log-path=audit.log", "--audit-log-format=json", "--audit-log-maxsize=4096",
		"--shutdown-delay-duration=0s", "--shutdown-watch-termination-grace-period=1s",
	}, l.apiserver...)...)
}

func newControllerManager() *child {
	return part("kube-controller-manager",
		"--kubeconfig=kcm.kubeconfig", "--authentication-kubeconfig=kcm.kubeconfig", "--authorization-kubeconfig=kcm.kubeconfig",
		"--leader-elect=false", "--use-service-account-credentials", "--bind-address=127.0.0.1", "--secure-port=0",
		"--root-ca-file=ca.crt", "--service-account-private-key-file=sa.key", "--concurrent-deployment-syncs=10",
		"--kube-api-qps=500", "--kube-api-burst=500")
}

func newScheduler() *child {
	return part("kube-scheduler",
		"--kubeconfig=scheduler.kubeconfig", "--authentication-kubeconfig=scheduler.kubeconfig",
		"--authorization-kubeconfig=scheduler.kubeconfig", "--leader-elect=false", "--bind-address=127.0.0.1", "--secure-port=0",
		"--kube-api-qps=500", "--kube-api-burst=500")
}

// newNodeParts: containerd before all others, kube-proxy not before the kubelet (without its node it waits 30 s and
// then takes loopback for the node's address). The kubelet is the first of rest.
func newNodeParts() (containerd *child, rest []*child) {
	containerd = &child{name: "containerd", program: "containerd", args: []string{"--config", "containerd.toml"}}
	kubelet := part("kubelet", "--config=kubelet.yaml", "--kubeconfig=kubelet.kubeconfig", "--hostname-override="+nodeName, "--node-ip="+nodeAddress)
	kubelet.again = 5 // it ends where a start goes wrong, and leaves the next try to the machine's init
	return containerd, []*child{
		kubelet,
		part("kube-proxy", "--kubeconfig=proxy.kubeconfig", "--hostname-override="+nodeName, "--proxy-mode=nftables", "--cluster-cidr="+podRange,
			// these would be written for the whole machine
			"--conntrack-max-per-core=0", "--conntrack-tcp-timeout-established=0", "--conntrack-tcp-timeout-close-wait=0"),
		part("coredns", "-conf", "Corefile"),
	}
}
