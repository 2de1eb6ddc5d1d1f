#!/bin/sh
# Runs this package's tests on a kernel of their own, in user mode, that has
# cgroups of version 2 and delegates one: for machines that do not. It needs
# linux.uml (Debian's package user-mode-linux), and nothing of this machine changes.
#
#   sandbox/box/testdata/cgroup2.sh [NAME]     the tests whose names match
set -eu
cd "$(dirname "$0")/.."
if [ "$$" = 1 ]; then # in there: this is the first process
  export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
  mount -t proc proc /proc
  mount -t sysfs sys /sys
  mount -t tmpfs tmp /mnt
  mount -t cgroup2 none /sys/fs/cgroup
  service=/sys/fs/cgroup/coldstart.service
  mkdir -p $service/server
  python3 -c "import os; os.setxattr('$service', 'user.delegate', b'1')" # as systemd marks it
  echo +cpu +memory +pids > /sys/fs/cgroup/cgroup.subtree_control
  echo $$ > $service/server/cgroup.procs
  HOME=/mnt TMPDIR=/mnt timeout 400 "$binary" -test.v -test.run "$name" || echo "failed: $?"
  echo o > /proc/sysrq-trigger
  sleep 10
fi
binary=$(mktemp)
log=$(mktemp)
trap 'rm -f "$binary" "$log"' EXIT
go test -c -o "$binary" .
timeout 500 linux.uml mem=4G rootfstype=hostfs rootflags=/ rw quiet con=null con0=fd:0,fd:1 \
  init="$PWD/testdata/cgroup2.sh" binary="$binary" name="${1:-Cgroup|Greedy|EveryKind}" < /dev/null 2>&1 | tee "$log"
! grep -qE '^ *--- FAIL|^FAIL|^panic|^failed:' "$log" && grep -q '^PASS' "$log"
