# SPDX-License-Identifier: Apache-2.0
# The judge and the command line with the libraries they need, and nothing else. It is the
# root file system of the managed plugin too (plugin-spec/make-plugin.sh).
ARG BASE=debian:bookworm-slim

FROM ${BASE} AS build
COPY . /src
WORKDIR /src
RUN tests/e2e/setup.sh build && make clean all
RUN mkdir -p /image/usr/bin && \
    cp -L build/seccomp-authzd build/seccomp-authz /image/usr/bin/ && \
    strip /image/usr/bin/* && \
    ldd /image/usr/bin/* | grep -o '/[^ :]*lib[^ :]*' | sort -u | \
    xargs -I{} cp -L --parents {} /image/

FROM scratch
COPY --from=build /image /
ENTRYPOINT ["/usr/bin/seccomp-authzd"]
