// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
)

// relayFile is the descriptor of the listener that is handed down to `node-up`.
const relayFile = 3

// hidden are the folders over which the node's namespaces lay folders of the cluster's own.
var hidden = map[string]string{"/run": "run", "/var/lib": "lib", "/var/log": "log"}

// canHaveNode looks at what can be known before anything is made.
func canHaveNode(o options) error {
	if os.Geteuid() != 0 {
		return noNode{"it needs root"}
	}
	for _, program := range []string{"containerd", "containerd-shim-runc-v2", "runc", "ctr", "nft"} {
		if _, err := exec.LookPath(program); err != nil {
			return noNode{program + " is not on PATH (hack/setup installs it)"}
		}
	}
	if _, err := cniFolder(); err != nil {
		return err
	}
	for _, path := range append(strings.Split(o.images, ","), o.dir) {
		for folder := range hidden {
			if strings.HasPrefix(path, folder+"/") {
				return fmt.Errorf("%s: inside the node %s is a folder of the cluster's own; take another place", path, folder)
			}
		}
	}
	return nil
}

// upNode makes what lies outside of the cluster's namespaces and starts their first process. When that one ends,
// the kernel ends all others, mounts and links with it; cgroups are all that is left to remove.
func upNode(o options) error {
	if err := canHaveNode(o); err != nil {
		return err
	}
	if err := newDir(o.dir); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:"+o.port)
	if err != nil {
		return err
	}
	defer listener.Close()
	o.port = strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
	file, err := listener.(*net.TCPListener).File()
	if err != nil {
		return err
	}
	defer file.Close()
	sweepCgroups()
	o.cgroup = cgroupPrefix + strconv.Itoa(os.Getpid())
	err = makeCgroup(o.cgroup)
	if err == nil {
		err = runInit(o, file)
	}
	return errors.Join(err, removeCgroup(o.cgroup))
}

// ended is how a process of ours ended that has said why.
type ended int

func (e ended) Error() string { return fmt.Sprintf("ended with %d", int(e)) }

func runInit(o options, relay *os.File) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	runtime.LockOSThread() // PDEATHSIG follows the thread that forked
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	first := exec.Command(self, "node-init", "--node", "--dir", o.dir, "--port", o.port, "--cgroup", o.cgroup, "--images", o.images)
	first.Stdout, first.Stderr, first.ExtraFiles = os.Stdout, os.Stderr, []*os.File{relay}
	first.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET,
		Pdeathsig:  syscall.SIGKILL, Setpgid: true,
	}
	if err := first.Start(); err != nil {
		return noNode{fmt.Sprintf("it gives no new namespaces: %v", err)}
	}
	if err := os.WriteFile(filepath.Join(o.dir, "init.pid"), []byte(strconv.Itoa(first.Process.Pid)+"\n"), 0o600); err != nil {
		_ = first.Process.Kill()
		_ = first.Wait()
		return err
	}
	go func() {
		for range signals {
			_ = first.Process.Signal(syscall.SIGTERM)
		}
	}()
	err = first.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() > 0 {
		return ended(exit.ExitCode())
	}
	return err
}
