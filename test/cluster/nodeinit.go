// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/vishvananda/netlink"
)

// The kubelet sets these for the whole machine: it gets files of its own to write to.
var decoys = map[string]string{
	"/proc/sys/vm/overcommit_memory": "1", "/proc/sys/vm/panic_on_oom": "0",
	"/proc/sys/kernel/panic": "10", "/proc/sys/kernel/panic_on_oops": "1",
}

func bind(from, to string) error {
	if err := syscall.Mount(from, to, "", syscall.MS_BIND, ""); err != nil {
		return fmt.Errorf("mount %s over %s: %w", from, to, err)
	}
	return nil
}

// makeMounts: what is mounted from here on is seen by this cluster only.
func makeMounts(dir string) error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("keep mounts private: %w", err)
	}
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_SHARED, ""); err != nil {
		return fmt.Errorf("share mounts with pods: %w", err)
	}
	if err := syscall.Mount("proc", "/proc", "proc", syscall.MS_NOSUID|syscall.MS_NODEV|syscall.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	for over, name := range hidden {
		own := filepath.Join(dir, name)
		if err := os.Mkdir(own, 0o755); err != nil {
			return err
		}
		if err := bind(own, over); err != nil {
			return err
		}
	}
	for over, value := range decoys {
		own := filepath.Join("/run", filepath.Base(over))
		if err := os.WriteFile(own, []byte(value+"\n"), 0o644); err != nil {
			return err
		}
		if err := bind(own, over); err != nil {
			return err
		}
	}
	resolv, err := filepath.EvalSymlinks("/etc/resolv.conf")
	if err != nil {
		return err
	}
	if err := os.WriteFile("/run/resolv.conf", []byte("nameserver "+nodeAddress+"\n"), 0o644); err != nil {
		return err
	}
	return bind("/run/resolv.conf", resolv)
}

// tryOverlay: the images' layers are stacked by it.
func tryOverlay() error {
	top, err := os.MkdirTemp("/var/lib", "overlay")
	if err != nil {
		return err
	}
	defer os.RemoveAll(top)
	for _, name := range []string{"lower", "upper", "work", "merged"} {
		if err := os.Mkdir(filepath.Join(top, name), 0o700); err != nil {
			return err
		}
	}
	merged := filepath.Join(top, "merged")
	options := fmt.Sprintf("lowerdir=%[1]s/lower,upperdir=%[1]s/upper,workdir=%[1]s/work", top)
	if err := syscall.Mount("overlay", merged, "overlay", 0, options); err != nil {
		return fmt.Errorf("mount an overlay: %w", err)
	}
	return syscall.Unmount(merged, 0)
}

// makeNetwork: the node's address lies on one end of a pair, whose other end is here too and gives it carrier. The
// default route only has to exist: the machine's processes need one to Service addresses, which are rewritten later.
func makeNetwork() error {
	pair := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "node0"}, PeerName: "node1"}
	if err := netlink.LinkAdd(pair); err != nil {
		return fmt.Errorf("make a veth pair: %w", err)
	}
	for _, name := range []string{"lo", "node0", "node1"} {
		link, err := netlink.LinkByName(name)
		if err != nil {
			return err
		}
		if err := netlink.LinkSetUp(link); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	link, err := netlink.LinkByName("node0")
	if err != nil {
		return err
	}
	address := &net.IPNet{IP: net.ParseIP(nodeAddress), Mask: net.CIDRMask(24, 32)}
	if err := netlink.AddrAdd(link, &netlink.Addr{IPNet: address}); err != nil {
		return fmt.Errorf("address of node0: %w", err)
	}
	everywhere := &net.IPNet{IP: net.IPv4zero, Mask: net.CIDRMask(0, 32)}
	if err := netlink.RouteAdd(&netlink.Route{LinkIndex: link.Attrs().Index, Dst: everywhere, Scope: netlink.SCOPE_LINK}); err != nil {
		return fmt.Errorf("default route: %w", err)
	}
	return os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o644)
}

func makeRules() error {
	rules, err := nodeFiles.ReadFile("node/fixture.nft")
	if err != nil {
		return err
	}
	nft := exec.Command("nft", "-f", "-")
	nft.Stdin = strings.NewReader(string(rules))
	if output, err := nft.CombinedOutput(); err != nil {
		return fmt.Errorf("nft: %s (%w)", strings.TrimSpace(string(output)), err)
	}
	return nil
}

// nodeInit is the first process of the namespaces. It makes them a machine, starts the cluster in them and buries
// what other processes leave behind, since shims of containers end up as its children.
func nodeInit(o options) error {
	steps := []func() error{func() error { return makeMounts(o.dir) }, tryOverlay, makeNetwork, makeRules}
	for _, step := range steps {
		if err := step(); err != nil {
			return noNode{err.Error()}
		}
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM)
	up, err := syscall.ForkExec(self, append([]string{self, "node-up"}, os.Args[1:]...), &syscall.ProcAttr{
		Env: os.Environ(), Files: []uintptr{0, 1, 2, relayFile}, Sys: &syscall.SysProcAttr{Setpgid: true}})
	if err != nil {
		return err
	}
	go func() {
		for range signals {
			_ = syscall.Kill(up, syscall.SIGTERM)
		}
	}()
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case err == syscall.EINTR:
		case err != nil:
			return err
		case pid == up && status.Exited() && status.ExitStatus() == 0:
			return nil
		case pid == up:
			return ended(max(1, status.ExitStatus()))
		}
	}
}
