#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# engine.sh - throwaway Docker engines, each in namespaces and a cgroup of its own.
#
#   engine.sh check                               says why not, where this machine can't
#   engine.sh run NAME ROOT [dockerd option]...   runs one until it is killed; ROOT is "/"
#                                                 for this machine's docker.io, or a folder
#                                                 that `root` made
#   engine.sh boot NAME ROOT                      the same for a whole machine: ROOT's systemd
#   engine.sh wait NAME [PID]                     waits until it answers; PID: of its `run`
#   engine.sh down NAME                           kills what is left of it, removes its files
#   engine.sh clean                               the same for all, and removes $E2E_DIR
#   engine.sh root SUITE DIR                      unpacks the engine of a Debian suite
#   engine.sh clients SUITE DIR                   unpacks its clients: docker, compose, docker-py
#   engine.sh client ROOT COMMAND...              runs one of them; ROOT is "/" or that folder
#   engine.sh base TAR PACKAGE...                 a base image of this machine's Debian suite
#
# Everything is under $E2E_DIR/NAME (E2E_DIR must be set, on a real file system): docker.sock,
# log, data/, daemon.json (yours, if you put it there first) and plugins/, which is the
# engine's /run/docker/plugins. An engine has no network but its own loopback.
#
# An engine that runs already is not touched: /run is a fresh tmpfs, so no socket, pid file
# or plugin is shared; /etc/docker/daemon.json isn't read; its cgroups, mounts, processes
# and network end with its namespaces. Kill the `run` process, or let its parent die, and
# all of it is gone but the files, which `down` removes.
set -euo pipefail

self=$(readlink -f "${BASH_SOURCE[0]}")

die() {
	printf 'engine.sh: %s\n' "$*" >&2
	exit 2
}

# ---- cgroups: v1 and v2, mounted or not ----

cgroup_mounts() { # one "FSTYPE TARGET OPTIONS" a line
	findmnt -rn -t cgroup,cgroup2 -o FSTYPE,TARGET,FS-OPTIONS || true
}

# Hosts without systemd may have none mounted. Only in a mount namespace of our own.
cgroup_mount_missing() {
	[ -z "$(cgroup_mounts)" ] || return 0
	grep -qw cgroup2 /proc/filesystems || die "this kernel has no cgroups"
	mount -t cgroup2 cgroup2 /sys/fs/cgroup || die "can't mount cgroups"
}

cgroup_name() { echo "$(basename "$E2E_DIR")-$1"; }

cgroup_join() { # moves this process into a fresh cgroup of that name in every hierarchy
	local fstype target
	while read -r fstype target _; do
		mkdir -p "$target/$1" || die "can't make a cgroup in $target"
		if [ -f "$target/$1/cpuset.cpus" ] && [ "$fstype" = cgroup ]; then
			cat "$target/cpuset.cpus" >"$target/$1/cpuset.cpus"
			cat "$target/cpuset.mems" >"$target/$1/cpuset.mems"
		fi
		echo $$ >"$target/$1/cgroup.procs" || die "can't enter a cgroup in $target"
	done < <(cgroup_mounts)
}

# The same hierarchies, as seen from the engine's cgroup namespace: its cgroup is the root.
cgroup_remount() {
	local fstype target options
	while read -r fstype target options; do
		options=$(tr , '\n' <<<"$options" |
			grep -vE '^(rw|ro|xattr|nsdelegate|memory_.*|release_agent=.*)$' |
			paste -sd, || true)
		umount -l "$target"
		mount -t "$fstype" ${options:+-o "$options"} "$fstype" "$target"
		[ "$fstype" = cgroup2 ] || continue
		# Controllers can be handed on only by a cgroup without processes in it.
		mkdir -p "$target/init"
		echo 0 >"$target/init/cgroup.procs"
		tr ' ' '\n' <"$target/cgroup.controllers" | while read -r controller; do
			echo "+$controller" >"$target/cgroup.subtree_control" 2>/dev/null || true
		done
	done < <(cgroup_mounts)
}

cgroup_kill() { # kills all in the cgroup and removes it; true when nothing is left
	local target left=0
	while read -r _ target _; do
		[ -d "$target/$1" ] || continue
		# What a v1 freezer holds (docker pause) can't even die.
		find "$target/$1" -depth -name freezer.state -exec sh -c 'echo THAWED >"$1"' _ {} \;
		find "$target/$1" -name cgroup.procs -exec sort -u {} + 2>/dev/null |
			xargs -r kill -KILL 2>/dev/null || true
		find "$target/$1" -depth -type d -exec rmdir {} + 2>/dev/null || left=1
	done < <(cgroup_mounts)
	return $left
}

# ---- what root may lack ----

CAPS=(CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP
	LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER
	SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE
	SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP
	MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF
	CHECKPOINT_RESTORE)

caps_missing() { # names of the capabilities that this process can never give on
	local bound cap last
	bound=$((16#$(awk '/^CapBnd:/ {print $2}' /proc/self/status)))
	last=$(cat /proc/sys/kernel/cap_last_cap)
	for ((cap = 0; cap <= last && cap < ${#CAPS[@]}; cap++)); do
		((bound >> cap & 1)) || echo "CAP_${CAPS[cap]}"
	done
}

# An engine asks runc for capabilities by its own list, and before version 23 for all of
# them in a privileged container; runc fails on one that root itself lacks. So a runtime
# that takes those out first. Prints the options that make it the engine's default.
runtime_options() { # PATH MISSING...
	local path=$1
	shift
	[ $# -gt 0 ] || return 0
	{
		echo '#!/bin/sh'
		echo 'prev='
		echo 'for arg; do'
		echo '	case $prev in'
		echo '	--bundle | -b) file=$arg/config.json ;;'
		echo '	--process | -p) file=$arg ;;'
		echo '	*) file= ;;'
		echo '	esac'
		echo '	prev=$arg'
		echo '	[ -f "$file" ] || continue'
		for cap; do echo "	sed -i 's/\"$cap\",//g; s/,\"$cap\"//g' \"\$file\""; done
		echo 'done'
		echo 'exec runc "$@"'
	} >"$path"
	chmod 755 "$path"
	echo "--add-runtime=narrow=$path --default-runtime=narrow"
}

# ---- run: three steps into the namespaces, the process stays the same until `fork` ----

check_host() {
	[ "$(id -u)" = 0 ] || die "a throwaway Docker engine needs root"
	unshare --mount true 2>/dev/null ||
		die "root may not make namespaces here (a container without --privileged?)"
	case ${E2E_DIR:-} in /run/* | /var/run/*) die "E2E_DIR can't be under /run" ;; esac
}

run_start() {
	check_host
	mkdir -p "$E2E_DIR/$1/data" "$E2E_DIR/$1/plugins"
	# Pid files of an engine that was killed stop the next one.
	rm -rf "$E2E_DIR/$1/docker.sock" "$E2E_DIR/$1/docker.pid" "$E2E_DIR/$1/exec"
	exec >"$E2E_DIR/$1/log" 2>&1 </dev/null
	exec unshare --mount --propagation private bash "$self" _cgroup "$@"
}

run_cgroup() {
	cgroup_mount_missing
	cgroup_join "$(cgroup_name "$1")"
	exec unshare --mount --cgroup --ipc --uts --net --pid --fork --kill-child=KILL \
		bash "$self" _init "$@"
}

run_init() { # pid 1 of the engine's namespaces: reaps, and takes all with it when it ends
	local name=$1 root=$2
	shift 2
	hostname "$(cgroup_name "$name")"
	mount -n -t tmpfs -o mode=755 tmpfs /run
	cgroup_remount
	if [ "$root" = / ]; then enter_host; else enter_root "$root" "$name"; fi
	mkdir -p /run/docker/plugins
	mount --bind "$E2E_DIR/$name/plugins" /run/docker/plugins
	ip link set lo up
	echo 1 >/proc/sys/net/ipv4/ip_forward # else the client warns at every run
	start_dockerd "$name" "$@" &
	wait $!
}

enter_host() {
	local resolver
	resolver=$(readlink -m /etc/resolv.conf)
	case $resolver in
	/run/*) mkdir -p "$(dirname "$resolver")" && : >"$resolver" ;;
	esac
	mount -t proc proc /proc
	[ ! -d /opt ] || mount -t tmpfs tmpfs /opt # containerd makes a folder there
	hide_apparmor
}

enter_root() { # ROOT NAME
	local root=$1 dir=$E2E_DIR/$2
	mount --bind "$root" "$root" # pivot_root wants a mount
	mount --rbind /sys "$root/sys"
	mount --rbind /dev "$root/dev"
	mount -t proc proc "$root/proc"
	mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
	mount -t tmpfs -o mode=755 tmpfs "$root/run"
	mkdir -p "$root$dir"
	mount --bind "$dir" "$root$dir" # the same paths inside and out
	cd "$root"
	pivot_root . mnt
	cd /
	umount -l /mnt
	hide_apparmor
}

# Else dockerd would load its profile into the host's kernel, and leave it there.
hide_apparmor() {
	[ ! -d /sys/kernel/security ] || mount -t tmpfs tmpfs /sys/kernel/security
}

# ---- boot: a machine with systemd; its console is the log ----

boot_start() { # NAME ROOT
	check_host
	mkdir -p "$E2E_DIR/$1/data"
	exec >"$E2E_DIR/$1/log" 2>&1 </dev/null
	exec unshare --mount --propagation private bash "$self" _boot_cgroup "$@"
}

boot_cgroup() { # cgroup v2 only, whatever the host has: systemd of today wants no other
	! mountpoint -q /sys/fs/cgroup || umount -n -R -l /sys/fs/cgroup
	mount -n -t cgroup2 cgroup2 /sys/fs/cgroup
	cgroup_join "$(cgroup_name "$1")"
	exec unshare --mount --cgroup --ipc --uts --net --pid --fork --kill-child=KILL \
		bash "$self" _boot_init "$@"
}

boot_init() { # NAME ROOT
	local root=$2 node
	hostname "$1"
	mount -n --bind "$root" "$root"
	mount -n -t proc proc "$root/proc"
	mount -n -t sysfs sysfs "$root/sys"
	mount -n -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
	mount -n -t tmpfs -o mode=755 tmpfs "$root/run"
	mount -n -t tmpfs -o mode=1777 tmpfs "$root/tmp"
	mount -n -t tmpfs -o mode=755 tmpfs "$root/dev"
	for node in null zero full random urandom tty; do
		: >"$root/dev/$node"
		mount -n --bind "/dev/$node" "$root/dev/$node"
	done
	mkdir -p "$root/dev/pts" "$root/dev/shm" "$root/run/lock"
	mount -n -t devpts -o newinstance,ptmxmode=666 devpts "$root/dev/pts"
	ln -s pts/ptmx "$root/dev/ptmx"
	ln -s /proc/self/fd "$root/dev/fd"
	ip link set lo up
	cd "$root"
	pivot_root . mnt
	cd /
	umount -n -l /mnt
	exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin \
		/lib/systemd/systemd --log-target=console
}

# ---- dockerd ----

start_dockerd() {
	local dir=$E2E_DIR/$1 options=() missing=()
	shift
	[ -f "$dir/daemon.json" ] || echo '{}' >"$dir/daemon.json"
	# Engines before 23 write this file to /etc/docker; later ones don't know the key.
	case $(dockerd --version) in
	*\ version\ 20.*)
		sed "1s|{|{\"deprecated-key-path\":\"$dir/key.json\",|; s|,}|}|" \
			"$dir/daemon.json" >"$dir/daemon.json.new"
		mv "$dir/daemon.json.new" "$dir/daemon.json"
		;;
	esac
	mapfile -t missing < <(caps_missing)
	read -ra options < <(runtime_options "$dir/runc-narrow" "${missing[@]}") || true
	exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
		dockerd --config-file "$dir/daemon.json" --data-root "$dir/data" \
		--exec-root "$dir/exec" --pidfile "$dir/docker.pid" -H "unix://$dir/docker.sock" \
		--exec-opt native.cgroupdriver=cgroupfs --iptables=false --ip6tables=false \
		--bridge=none "${options[@]}" "$@"
}

# ---- wait, down, root ----

engine_wait() { # NAME [PID]
	local dir=$E2E_DIR/$1 tries
	for ((tries = 0; tries < 600; tries++)); do
		# dockerd listens before it has found its plugin; only an answer counts.
		if [ -S "$dir/docker.sock" ] &&
			curl -sf -o /dev/null -m 20 --unix-socket "$dir/docker.sock" http://d/_ping; then
			return 0
		fi
		[ -z "${2:-}" ] || kill -0 "$2" 2>/dev/null || break
		sleep 0.1
	done
	[ -f "$dir/log" ] || return 1 # `run` has said why
	echo "engine.sh: the engine did not start; the end of its log:" >&2
	tail -n 20 "$dir/log" >&2
	return 1
}

engine_down() {
	local tries
	for ((tries = 0; tries < 600; tries++)); do
		! cgroup_kill "$(cgroup_name "$1")" || break
		sleep 0.05
	done
	[ $tries -lt 600 ] || echo "engine.sh: its cgroup could not be removed" >&2
	rm -rf "${E2E_DIR:?}/$1"
}

engine_clean() {
	local data
	for data in "$E2E_DIR"/*/data; do
		[ ! -d "$data" ] || engine_down "$(basename "$(dirname "$data")")"
	done
	rm -rf "${E2E_DIR:?}"
}

# This machine's own Debian mirror, whatever it is.
debian_mirror() {
	local mirror
	mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' \
		'Origin: Debian' 'Label: Debian' | sort -u | head -n 1)
	[ -n "$mirror" ] || die "apt knows no Debian mirror (apt-get update first?)"
	echo "${mirror%/}"
}

engine_base() { # TAR PACKAGE...; BASE_SUITE: of that Debian, not of ours
	local mirror suite packages
	mirror=$(debian_mirror)
	suite=${BASE_SUITE:-}
	[ -n "$suite" ] || suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
	packages=$(tr ' ' , <<<"${*:2}")
	mmdebstrap --quiet --variant=minbase --dpkgopt=force-unsafe-io \
		--dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
		${packages:+--include="$packages"} "$suite" "$1" \
		"deb $mirror $suite main"
}

# Unpacking is enough for an engine and for clients, so no maintainer script runs; this does
# what they would have done. A suite that is no release yet may be past its Valid-Until on a
# mirror.
unpack() { # SUITE DIR PACKAGE,...
	local dir=$2 mirror link
	mirror=$(debian_mirror)
	rm -rf "$dir"
	mkdir -p "$(dirname "$dir")"
	mmdebstrap --quiet --variant=extract --aptopt='Acquire::Check-Valid-Until "false"' \
		--aptopt='APT::Install-Recommends "false"' --include="$3" "$1" "$dir" \
		"deb $mirror $1 main"
	for link in bin sbin lib lib64; do [ -e "$dir/$link" ] || ln -s "usr/$link" "$dir/$link"; done
	mkdir -p "$dir"/{proc,sys,dev,run,tmp,root,mnt,etc/docker}
	[ -e "$dir/etc/passwd" ] || echo 'root:x:0:0:root:/root:/bin/sh' >"$dir/etc/passwd"
	[ -e "$dir/etc/group" ] || printf 'root:x:0:\ndocker:x:999:\n' >"$dir/etc/group"
	[ -e "$dir/bin/sh" ] || ln -s dash "$dir/bin/sh"
}

engine_root() { # SUITE DIR
	local suite=$1 dir=$2 packages=docker.io tool
	case $suite in bullseye | bookworm) ;; *) packages+=,docker-cli ;; esac
	packages+=,bash,dash,coreutils,util-linux,mount,hostname,iproute2,iptables,procps,sed
	packages+=,grep,mawk,findutils,xz-utils
	unpack "$suite" "$dir" "$packages"
	[ -e "$dir/usr/bin/awk" ] || ln -s mawk "$dir/usr/bin/awk"
	for tool in iptables ip6tables; do
		[ -e "$dir/usr/sbin/$tool" ] || ln -s "$tool-nft" "$dir/usr/sbin/$tool"
	done
}

engine_clients() { # SUITE DIR
	local suite=$1 dir=$2 packages=docker-compose,python3-docker,ca-certificates
	case $suite in
	bullseye | bookworm) packages+=,docker.io ;;
	*) packages+=,docker-cli,docker-buildx ;;
	esac
	unpack "$suite" "$dir" "$packages,bash,dash,coreutils"
	# python3-requests does not load without it
	mkdir -p "$dir/etc/ssl/certs"
	cat "$dir"/usr/share/ca-certificates/mozilla/*.crt >"$dir/etc/ssl/certs/ca-certificates.crt"
}

client_run() { # ROOT COMMAND... with the folders of the engines at their place
	local root=$1 here=$PWD
	shift
	mount -n --rbind /dev "$root/dev"
	mount -n -t proc proc "$root/proc"
	mount -n -t tmpfs -o mode=1777 tmpfs "$root/tmp"
	mkdir -p "$root$E2E_DIR"
	mount -n --bind "$E2E_DIR" "$root$E2E_DIR"
	exec chroot "$root" /bin/sh -c 'cd "$1" 2>/dev/null || cd /; shift; exec "$@"' sh "$here" "$@"
}

command=${1:?"what? see the head of $self"}
shift
case $command in
check | root | clients | base) ;;
*) export E2E_DIR="${E2E_DIR:?}" ;;
esac
case $command in
check) check_host ;;
run) run_start "${1:?name}" "${2:?root}" "${@:3}" ;;
_cgroup) run_cgroup "$@" ;;
_init) run_init "$@" ;;
boot) boot_start "${1:?name}" "${2:?root}" ;;
_boot_cgroup) boot_cgroup "$@" ;;
_boot_init) boot_init "$@" ;;
wait) engine_wait "$@" ;;
down | clean) exec unshare --mount --propagation private bash "$self" "_$command" "$@" ;;
_down) cgroup_mount_missing && engine_down "${1:?name}" ;;
_clean) cgroup_mount_missing && engine_clean ;;
root) engine_root "${1:?suite}" "${2:?folder}" ;;
clients) engine_clients "${1:?suite}" "${2:?folder}" ;;
client)
	[ "$1" != / ] || exec "${@:2}"
	exec unshare --mount --propagation private bash "$self" _client "$@"
	;;
_client) client_run "$@" ;;
base) engine_base "${1:?file}" "${@:2}" ;;
*) die "what is '$command'?" ;;
esac
