# SPDX-License-Identifier: Apache-2.0
# The image of `make image`, for those who build with a container engine.
FROM debian:12-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates gcc git libc6-dev libcjson-dev \
	libcurl4-openssl-dev libssl-dev libuv1-dev libwebsockets-dev libwebsockets-evlib-uv libyaml-dev make pkg-config python3
COPY . /src
WORKDIR /src
ARG VERSION
RUN make -j"$(nproc)" ${VERSION:+VERSION="$VERSION"} && hack/image rootfs /rootfs

FROM scratch
COPY --from=build /rootfs/ /
USER 65532:65532
WORKDIR /
ENTRYPOINT ["/usr/bin/llmd-tracing"]
CMD ["run"]
