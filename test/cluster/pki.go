// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// authority signs every certificate of one cluster.
type authority struct {
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func writePEM(path, kind string, der []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}

func unsigned(subject pkix.Name) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	return &x509.Certificate{
		SerialNumber: serial, Subject: subject, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(10 * 365 * 24 * time.Hour),
	}, nil
}

func (a *authority) sign(name string, c *x509.Certificate, parent *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	signer := a.key
	if parent == nil {
		parent, signer = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	if err != nil {
		return nil, nil, err
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, nil, err
	}
	if err := writePEM(filepath.Join(a.dir, name+".key"), "EC PRIVATE KEY", keyDER); err != nil {
		return nil, nil, err
	}
	if err := writePEM(filepath.Join(a.dir, name+".crt"), "CERTIFICATE", der); err != nil {
		return nil, nil, err
	}
	signed, err := x509.ParseCertificate(der)
	return signed, key, err
}

func newAuthority(dir string) (*authority, error) {
	a := &authority{dir: dir}
	c, err := unsigned(pkix.Name{CommonName: "test-cluster-ca"})
	if err != nil {
		return nil, err
	}
	c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign|x509.KeyUsageDigitalSignature
	a.cert, a.key, err = a.sign("ca", c, nil)
	return a, err
}

// identity is one certificate: who it is for, and the addresses and names where it serves.
type identity struct {
	subject   pkix.Name
	addresses []net.IP
	names     []string
}

// leaf writes NAME.crt and NAME.key for both sides of TLS.
func (a *authority) leaf(name string, i identity) error {
	c, err := unsigned(i.subject)
	if err != nil {
		return err
	}
	c.KeyUsage = x509.KeyUsageDigitalSignature
	c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	c.IPAddresses, c.DNSNames = i.addresses, i.names
	_, _, err = a.sign(name, c, a.cert)
	return err
}

// serviceAccountKey writes sa.key and sa.pub.
func (a *authority) serviceAccountKey() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return err
	}
	if err := writePEM(filepath.Join(a.dir, "sa.key"), "EC PRIVATE KEY", private); err != nil {
		return err
	}
	return writePEM(filepath.Join(a.dir, "sa.pub"), "PUBLIC KEY", public)
}

// kubeconfig writes NAME.kubeconfig, which names files, and NAME-inline.kubeconfig, which holds them.
func (a *authority) kubeconfig(name, server string) error {
	path := func(file string) string { return filepath.Join(a.dir, file) }
	text := `{"apiVersion":"v1","kind":"Config","current-context":"test","contexts":[{"name":"test","context":{"cluster":"test","user":"test"}}],` +
		`"clusters":[{"name":"test","cluster":{"server":%q,"certificate-authority%s":%q}}],` +
		`"users":[{"name":"test","user":{"client-certificate%s":%q,"client-key%s":%q}}]}` + "\n"
	files := fmt.Sprintf(text, server, "", path("ca.crt"), "", path(name+".crt"), "", path(name+".key"))
	if err := os.WriteFile(path(name+".kubeconfig"), []byte(files), 0o600); err != nil {
		return err
	}
	var data [3]string
	for i, file := range []string{"ca.crt", name + ".crt", name + ".key"} {
		content, err := os.ReadFile(path(file))
		if err != nil {
			return err
		}
		data[i] = base64.StdEncoding.EncodeToString(content)
	}
	inline := fmt.Sprintf(text, server, "-data", data[0], "-data", data[1], "-data", data[2])
	return os.WriteFile(path(name+"-inline.kubeconfig"), []byte(inline), 0o600)
}

// makePKI writes everything that the parts of a cluster need to know one another.
func makePKI(dir, server string, addresses []net.IP, kubelet identity) error {
	a, err := newAuthority(dir)
	if err != nil {
		return err
	}
	if err := a.serviceAccountKey(); err != nil {
		return err
	}
	masters := []string{"system:masters"}
	apiserver := identity{subject: pkix.Name{CommonName: "kube-apiserver"}, addresses: addresses,
		names: []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"}}
	if err := a.leaf("apiserver", apiserver); err != nil {
		return err
	}
	clients := map[string]identity{
		"admin":          {subject: pkix.Name{CommonName: "admin", Organization: masters}},
		"kubelet-client": {subject: pkix.Name{CommonName: "kube-apiserver-kubelet-client", Organization: masters}},
		"kubelet":        kubelet,
		"kcm":            {subject: pkix.Name{CommonName: "system:kube-controller-manager"}},
		"scheduler":      {subject: pkix.Name{CommonName: "system:kube-scheduler"}},
		"proxy":          {subject: pkix.Name{CommonName: "system:kube-proxy"}},
		"coredns":        {subject: pkix.Name{CommonName: "coredns", Organization: masters}},
	}
	for name, identity := range clients {
		if err := a.leaf(name, identity); err != nil {
			return err
		}
		if err := a.kubeconfig(name, server); err != nil {
			return err
		}
	}
	return nil
}
