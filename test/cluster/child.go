// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
)

const stopTimeout = 15 * time.Second

// child is one part of the cluster: its own binary again with another first argument, or a program of the machine.
type child struct {
	name     string
	program  string // "" for our own binary
	args     []string
	cmd      *exec.Cmd
	done     chan error
	stopping atomic.Bool
}

// part is a child that is our own binary, called by the name of what it runs.
func part(name string, args ...string) *child {
	return &child{name: name, args: append([]string{name}, args...)}
}

// start runs the child so that it dies with us, however we die. A name on died says that it ended unasked.
func (c *child) start(dir string, died chan<- string) error {
	log, err := os.OpenFile(filepath.Join(dir, c.name+".log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	program := c.program
	if program == "" {
		if program, err = os.Executable(); err != nil {
			return err
		}
	}
	c.cmd = exec.Command(program, c.args...)
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
	if c == nil || c.cmd == nil || c.cmd.Process == nil {
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
