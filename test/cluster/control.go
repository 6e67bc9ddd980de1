// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
)

// listen takes commands for a running cluster on DIR/control: one line in, one line out.
func (c *cluster) listen() (net.Listener, error) {
	l, err := net.Listen("unix", filepath.Join(c.dir, "control"))
	if err != nil {
		return nil, err
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			c.serve(conn) // one at a time: two restarts must not overlap
		}
	}()
	return l, nil
}

func (c *cluster) serve(conn net.Conn) {
	defer conn.Close()
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err == nil {
		err = c.obey(strings.TrimSpace(line))
	}
	if err != nil {
		fmt.Fprintf(conn, "error: %v\n", err)
		return
	}
	fmt.Fprintln(conn, "ok")
}

func (c *cluster) obey(command string) error {
	switch command {
	case "restart-node":
		if err := c.restartNode(); err != nil {
			return err
		}
		return c.writePids()
	case "stop-apiserver":
		c.apiserver.stop()
		return nil
	case "restart-apiserver":
		c.apiserver.stop()
	case "start-apiserver":
		if c.apiserver.process.Load() != nil {
			return errors.New("the API server is running")
		}
	default:
		return fmt.Errorf("unknown command %q", command)
	}
	if err := c.apiserver.start(c.dir, c.died); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	if err := await(ctx, "API server ready", c.apiReady); err != nil {
		return err
	}
	return c.writePids()
}

// control sends one command to the cluster that runs in dir.
func control(dir, command string) error {
	conn, err := net.Dial("unix", filepath.Join(dir, "control"))
	if err != nil {
		return err
	}
	defer conn.Close()
	fmt.Fprintln(conn, command)
	answer, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return err
	}
	if answer = strings.TrimSpace(answer); answer != "ok" {
		return errors.New(answer)
	}
	return nil
}
