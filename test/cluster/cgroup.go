// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	cgroupMount  = "/sys/fs/cgroup"
	cgroupPrefix = "llmd-node-" // and the PID of the `cluster up` that made it
)

// hierarchies lists the roots of cgroup v1's hierarchies, or v2's only one.
func hierarchies() []string {
	if _, err := os.Stat(cgroupMount + "/cgroup.controllers"); err == nil {
		return []string{cgroupMount}
	}
	var found []string
	files, _ := filepath.Glob(cgroupMount + "/*/cgroup.procs")
	for _, file := range files {
		found = append(found, filepath.Dir(file))
	}
	return found
}

// makeCgroup makes the group below which the kubelet puts all pods.
func makeCgroup(name string) error {
	roots := hierarchies()
	if len(roots) == 0 {
		return noNode{"no cgroups are mounted at " + cgroupMount}
	}
	for _, root := range roots {
		if err := os.Mkdir(filepath.Join(root, name), 0o755); err != nil && !os.IsExist(err) { // cpu and cpuacct may be one
			return noNode{fmt.Sprintf("it does not let us make a cgroup: %v", err)}
		}
		for _, file := range []string{"cpuset.cpus", "cpuset.mems"} { // v1: a new group may use none
			content, err := os.ReadFile(filepath.Join(root, file))
			if err != nil || root == cgroupMount {
				continue
			}
			if err := os.WriteFile(filepath.Join(root, name, file), content, 0o644); err != nil {
				return noNode{fmt.Sprintf("it does not let us set up a cgroup: %v", err)}
			}
		}
	}
	return nil
}

// cgroupFolders gives all folders of that group, a parent before its children.
func cgroupFolders(name string) []string {
	var found []string
	for _, root := range hierarchies() {
		_ = filepath.WalkDir(filepath.Join(root, name), func(path string, entry fs.DirEntry, err error) error {
			if err == nil && entry.IsDir() {
				found = append(found, path)
			}
			return nil
		})
	}
	return found
}

// removeCgroup waits for the last processes, which may still be on their way out.
func removeCgroup(name string) error {
	var last error
	for deadline := time.Now().Add(stopTimeout); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		folders := cgroupFolders(name)
		if len(folders) == 0 {
			return nil
		}
		for i := len(folders) - 1; i >= 0; i-- {
			if err := syscall.Rmdir(folders[i]); err != nil && err != syscall.ENOENT {
				last = fmt.Errorf("%s: %w", folders[i], err)
			}
		}
	}
	return last
}

// sweepCgroups removes what clusters left that were killed: everything else of them died with them.
func sweepCgroups() {
	for _, root := range hierarchies() {
		folders, _ := filepath.Glob(filepath.Join(root, cgroupPrefix+"*"))
		for _, folder := range folders {
			pid, err := strconv.Atoi(strings.TrimPrefix(filepath.Base(folder), cgroupPrefix))
			if err == nil && syscall.Kill(pid, 0) == syscall.ESRCH {
				_ = removeCgroup(filepath.Base(folder))
			}
		}
	}
}

// killContainers ends every process in the group and the shims above them, as a power cut would.
func killContainers(name string) error {
	for deadline := time.Now().Add(stopTimeout); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		pids := shims()
		for _, folder := range cgroupFolders(name) {
			procs, err := os.ReadFile(filepath.Join(folder, "cgroup.procs"))
			if err == nil {
				pids = append(pids, strings.Fields(string(procs))...)
			}
		}
		if len(pids) == 0 {
			return nil
		}
		for _, text := range pids {
			if pid, err := strconv.Atoi(text); err == nil && pid > 1 {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		}
	}
	return fmt.Errorf("containers in cgroup %s do not end", name)
}

// shims lists the processes of containerd that stay when it goes; our /proc shows only this cluster's.
func shims() []string {
	var found []string
	files, _ := filepath.Glob("/proc/[0-9]*/comm")
	for _, file := range files {
		comm, err := os.ReadFile(file)
		if err == nil && strings.HasPrefix(string(comm), "containerd-shim") {
			found = append(found, filepath.Base(filepath.Dir(file)))
		}
	}
	return found
}
