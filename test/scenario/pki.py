# SPDX-License-Identifier: Apache-2.0
"""Certificates for the scripted API server, made by the openssl command."""
import os
import subprocess


class Pki:
    """CAs and leaf certificates in a folder; each is a pair of paths."""

    def __init__(self, folder):
        self.folder = str(folder)
        with open(self.path("openssl.cnf"), "w", encoding="utf-8") as config:
            config.write("[req]\ndistinguished_name=dn\n[dn]\n")
        self.ca = self.make_ca("ca")
        self.other_ca = self.make_ca("other-ca")

    def path(self, name):
        return os.path.join(self.folder, name)

    def _req(self, *args):
        subprocess.run(["openssl", "req", "-x509", "-config", self.path("openssl.cnf"), "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-days", "30", *args], check=True, capture_output=True)

    def make_ca(self, name):
        cert, key = self.path(name + ".crt"), self.path(name + ".key")
        self._req("-subj", "/CN=" + name, "-addext", "basicConstraints=critical,CA:TRUE", "-addext",
                  "keyUsage=keyCertSign", "-keyout", key, "-out", cert)
        return cert, key

    def leaf(self, name, ca=None, san="IP:127.0.0.1,DNS:localhost"):
        """A certificate for both sides of TLS, its common name being `name`."""
        ca_cert, ca_key = ca or self.ca
        cert, key = self.path(name + ".crt"), self.path(name + ".key")
        self._req("-CA", ca_cert, "-CAkey", ca_key, "-subj", "/CN=" + name, "-addext", "basicConstraints=CA:FALSE",
                  "-addext", "extendedKeyUsage=serverAuth,clientAuth", "-addext", "subjectAltName=" + san,
                  "-keyout", key, "-out", cert)
        return cert, key
