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

const (
	stopTimeout = 15 * time.Second
	againAfter  = time.Second
)

// child is one part of the cluster: its own binary again with another first argument, or a program of the machine.
type child struct {
	name      string
	program   string // "" for our own binary
	args      []string
	again     int    // how often it is started again when it ends unasked, as the init of a real machine does
	restarted func() // then
	process   atomic.Pointer[os.Process]
	done      chan struct{}
	stopping  atomic.Bool
}

// part is a child that is our own binary, called by the name of what it runs.
func part(name string, args ...string) *child {
	return &child{name: name, args: append([]string{name}, args...)}
}

// start runs the child so that it dies with us, however we die. A name on died says that it ended unasked, for good.
func (c *child) start(dir string, died chan<- string) error {
	log, err := os.OpenFile(filepath.Join(dir, c.name+".log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	c.done = make(chan struct{})
	c.stopping.Store(false)
	started := make(chan error)
	go func() {
		// PDEATHSIG follows the thread that forked: keep it for as long as the child lives.
		runtime.LockOSThread()
		defer log.Close()
		defer close(c.done)
		cmd, err := c.run(dir, log)
		started <- err
		for left := c.again; err == nil; left-- {
			err = cmd.Wait()
			if c.stopping.Load() {
				return
			}
			if left == 0 {
				died <- fmt.Sprintf("%s (%v); see %s.log", c.name, err, c.name)
				return
			}
			fmt.Fprintf(log, "cluster: %s ended (%v) and is started again\n", c.name, err)
			time.Sleep(againAfter)
			if cmd, err = c.run(dir, log); err != nil {
				died <- fmt.Sprintf("%s (%v)", c.name, err)
			} else if c.stopping.Load() {
				_ = cmd.Process.Kill() // stop has told the one before
			} else {
				c.restarted()
			}
		}
	}()
	return <-started
}

func (c *child) run(dir string, log *os.File) (*exec.Cmd, error) {
	program := c.program
	if program == "" {
		own, err := os.Executable()
		if err != nil {
			return nil, err
		}
		program = own
	}
	cmd := exec.Command(program, c.args...)
	cmd.Stdout, cmd.Stderr, cmd.Dir = log, log, dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c.process.Store(cmd.Process)
	return cmd, nil
}

func (c *child) stop() {
	if c == nil || c.process.Load() == nil {
		return
	}
	c.stopping.Store(true)
	_ = c.process.Load().Signal(syscall.SIGTERM)
	select {
	case <-c.done:
	case <-time.After(stopTimeout):
		_ = c.process.Load().Kill()
		<-c.done
	}
	c.process.Store(nil)
}
