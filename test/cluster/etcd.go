// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net/url"

	"go.etcd.io/etcd/server/v3/embed"
)

// runEtcd is one etcd member on loopback, without fsync: nothing here has to outlive a crash of the machine.
func runEtcd(dir, port string) error {
	c := embed.NewConfig()
	c.Dir = dir
	client, err := url.Parse("http://127.0.0.1:" + port)
	if err != nil {
		return err
	}
	peer, err := url.Parse("http://127.0.0.1:0")
	if err != nil {
		return err
	}
	c.ListenClientUrls, c.AdvertiseClientUrls = []url.URL{*client}, []url.URL{*client}
	c.ListenPeerUrls = []url.URL{*peer}
	c.UnsafeNoFsync = true
	c.LogLevel = "error"
	e, err := embed.StartEtcd(c)
	if err != nil {
		return err
	}
	return <-e.Err()
}
