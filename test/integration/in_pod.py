# SPDX-License-Identifier: Apache-2.0
"""The operator as it runs in a pod, as far as it can tell: its ServiceAccount's files, the API server's address in the
environment, and Services that have names. It gets a mount namespace of its own for that; nothing of it is left behind.
"""
import os
import socket
import socketserver
import threading
import urllib.parse

from operator_process import NAMESPACE, Operator

FILES = "/run/secrets/kubernetes.io/serviceaccount"
# /run is covered as a whole, since the folder need not be there on this machine. $1: hosts, $2: files, then the command.
SETUP = f"""set -e
mount --bind "$1" /etc/hosts
cp -r "$2" "$2.pod"
mount -t tmpfs tmpfs /run
mkdir -p {FILES}
cp "$2.pod"/* {FILES}
shift 2
exec "$@"
"""


class PodOperator(Operator):
    """`names`: {"otel-collector.NS.svc": address}."""

    def __init__(self, cluster, folder, names, *flags):
        self.folder, self.names = folder, names
        server = urllib.parse.urlsplit(cluster.server)
        super().__init__(cluster, *flags, env={"KUBERNETES_SERVICE_HOST": server.hostname, "KUBERNETES_SERVICE_PORT": str(server.port)})

    def write(self, path, text):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return str(path)

    def command(self, words, kubeconfig):
        files = self.folder / "serviceaccount"
        with open(self.cluster.ca, encoding="utf-8") as ca:
            self.write(files / "ca.crt", ca.read())
        self.write(files / "namespace", NAMESPACE)
        self.write(files / "token", self.cluster.kubectl("-n", NAMESPACE, "create", "token", "llmd-tracing", "--duration=6h").strip())
        hosts = self.write(self.folder / "hosts", "".join(f"{a} {n}\n" for n, a in {"localhost": "127.0.0.1", **self.names}.items()))
        user = [] if os.getuid() == 0 else ["--user", "--map-root-user"]
        return ["unshare", *user, "--mount", "--propagation", "private", "sh", "-c", SETUP, "sh", hosts, str(files), *words]


class Relay:
    """Stands where a Service's address is: passes connections on to a port of this machine while it is open."""

    def __init__(self, address, port, target):
        def pump(source, sink):
            try:
                while data := source.recv(65536):
                    sink.sendall(data)
                sink.shutdown(socket.SHUT_WR)
            except OSError:
                pass

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                with socket.create_connection(("127.0.0.1", target)) as peer:
                    back = threading.Thread(target=pump, args=(peer, self.request), daemon=True)
                    back.start()
                    pump(self.request, peer)
                    back.join()

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = daemon_threads = True

        self.server = Server((address, port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
