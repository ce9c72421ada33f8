#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# build.sh DIR - a real kube-apiserver, etcd and kubectl into DIR, from Debian alone.
#
# Debian packages kubectl only, but the source package of Debian 12 carries all of
# Kubernetes 1.20.2 with the Go libraries that it needs. Takes some minutes and 2 GB below
# DIR while it builds; what stays are kube-apiserver, etcd and kubectl. Nothing is installed:
# the packages are unpacked into DIR. Does nothing where all three are there already.
set -euo pipefail

DIR=$(readlink -m "${1:?the folder to build in}")
VERSION=1.20.2

[ ! -x "$DIR/kube-apiserver" ] || [ ! -x "$DIR/etcd" ] || [ ! -x "$DIR/kubectl" ] || exit 0

# shellcheck source=tests/e2e/kubernetes/debian.sh
. "$(dirname "$(readlink -f "$0")")/debian.sh"
WORK=$DIR/work
rm -rf "$WORK"
mkdir -p "$WORK/source"

use_suite bookworm
unpack golang-1.19-go golang-1.19-src rsync libpopt0 libxxhash0 etcd-server jq libjq1 libonig5 \
	golang-github-modern-go-reflect2-dev
(cd "$WORK/source" && apt_own apt-get source --download-only kubernetes)
cd "$WORK/source"
tar xf kubernetes_*.orig.tar.gz
cd kubernetes-$VERSION
tar xf ../kubernetes_*.debian.tar.xz
while read -r patch; do
	case $patch in '' | \#*) ;; *) patch -p1 -N -s <"debian/patches/$patch" ;; esac
done <debian/patches/series

# The copy that it carries reads maps as Go laid them out before 1.18, and crashes on later
# ones (modern-go/reflect2 1.0.2 "support go 1.18").
reflect=github.com/modern-go/reflect2
rm -rf "vendor/${reflect:?}"
cp -r "$WORK/root/usr/share/gocode/src/$reflect" vendor/github.com/modern-go/
rm -f vendor/$reflect/*_test.go

# Its makefiles ask for rsync and jq; what is not on this machine comes from the packages.
libraries=$(echo "$WORK"/root/usr/lib/*-linux-gnu | tr ' ' :)
export PATH=$WORK/root/usr/lib/go-1.19/bin:$PATH:$WORK/root/usr/bin
export LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$libraries
export GOROOT=$WORK/root/usr/lib/go-1.19 GOPATH=$WORK/gopath GOCACHE=$WORK/gocache
export GO111MODULE=off GOPROXY=off GOFLAGS=
export KUBE_GIT_VERSION=v$VERSION KUBE_GIT_COMMIT=debian KUBE_GIT_TREE_STATE=archive
export KUBE_GIT_MAJOR=1 KUBE_GIT_MINOR=20
make WHAT=cmd/kube-apiserver
cp _output/local/bin/linux/*/kube-apiserver "$DIR/"
cp "$WORK/root/usr/bin/etcd" "$DIR/"
# The schemas of this API, for the tests of the manifests.
cp api/openapi-spec/swagger.json "$DIR/openapi.json"

use_suite trixie # bookworm's kubectl knows neither kustomize's newer fields nor --subresource
unpack kubectl
cp "$WORK"/root/usr/bin/kubectl* "$DIR/"
cd "$DIR"
chmod -R u+w "$WORK" # Go's caches are read-only
rm -rf "$WORK"
ls -l "$DIR"
