#!/bin/bash
# Runs the sample grid through a real Slurm of one node, started here and ended afterwards, and compares its table with that of a
# local run. Needs Debian's slurm-wlm and munge, and root (slurmd switches users).
#
#   xtask/tests/slurm.sh [options of bench-medical]      for example: xtask/tests/slurm.sh --datasets br35h
#
# CKAAD and XTASK name the programs, if they are not to be built; KEEP=DIR keeps everything in DIR.
set -euo pipefail

for program in munged munge slurmctld slurmd sbatch sinfo scancel; do
    if ! command -v "$program" >/dev/null; then
        echo "SKIPPED: no $program on this machine (apt-get install slurm-wlm munge)"
        exit 0
    fi
done
if [ "$(id -u)" != 0 ]; then
    echo "SKIPPED: needs root to start slurmd"
    exit 0
fi

root=$(cd "$(dirname "$0")/../.." && pwd)
work=${KEEP:-$(mktemp -d)}
mkdir -p "$work"/{munge,state,spool}
pids=()
finish() {
    status=$?
    for ((index = ${#pids[@]} - 1; index >= 0; index--)); do
        kill "${pids[index]}" 2>/dev/null || true
    done
    wait 2>/dev/null || true
    if [ $status != 0 ]; then
        echo "FAILED; the daemons said:"
        tail -n 5 "$work"/*.log || true
    fi
    [ -n "${KEEP:-}" ] || rm -rf "$work"
}
trap finish EXIT

cd "$root"
if [ -z "${XTASK:-}" ]; then
    cargo build --quiet -p xtask
    XTASK=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')/debug/xtask
fi
grid=(bench-medical --sample --quick --threads 1 "$@")
[ -z "${CKAAD:-}" ] || grid+=(--binary "$CKAAD")

# Slurm on ports of its own, so that it disturbs no other. Its folder of state is new.
host=$(hostname -s)
chmod 700 "$work/munge"
dd if=/dev/urandom of="$work/munge/key" bs=1024 count=1 status=none
chmod 600 "$work/munge/key"
cat >"$work/slurm.conf" <<CONF
ClusterName=bench
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=26817
SlurmdPort=26818
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$work/munge/socket
CryptoType=crypto/munge
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
SchedulerType=sched/backfill
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
ReturnToService=2
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=$(awk '/MemTotal/ { print int($2 / 1024) }' /proc/meminfo)
PartitionName=all Nodes=$host Default=YES MaxTime=INFINITE State=UP
CONF
export SLURM_CONF=$work/slurm.conf

munged --foreground --force --key-file="$work/munge/key" --socket="$work/munge/socket" --pid-file="$work/munge/pid" \
    --seed-file="$work/munge/seed" --log-file="$work/munged.log" >/dev/null 2>&1 &
pids+=($!)
for _ in $(seq 50); do
    [ -S "$work/munge/socket" ] && break
    sleep 0.2
done
slurmctld -D -c >/dev/null 2>&1 &
pids+=($!)
slurmd -D -N "$host" >/dev/null 2>&1 &
pids+=($!)
for _ in $(seq 100); do
    [ "$(sinfo --noheader --format=%T 2>/dev/null)" = idle ] && break
    sleep 0.3
done
echo "Slurm: $(sbatch --version); $(sinfo --noheader --format='node %N is %T with %c CPUs')"

"$XTASK" "${grid[@]}" --out "$work/array" --slurm "$work/grid.sbatch" --cluster-cpus 1 --cluster-memory 2
start=$SECONDS
sbatch --wait "$work/grid.sbatch"
echo "the array took $((SECONDS - start)) s"
"$XTASK" collect "$work/array" >/dev/null

start=$SECONDS
"$XTASK" "${grid[@]}" --out "$work/local" --jobs "$(nproc)" >/dev/null 2>"$work/local.log"
echo "the local run took $((SECONDS - start)) s"
for file in table.md table.csv table.json; do
    cmp "$work/array/bench-medical-sample-quick/$file" "$work/local/bench-medical-sample-quick/$file"
done
grep -m1 -o 'INCOMPLETE[^*]*' "$work/local/bench-medical-sample-quick/table.md" && exit 1
echo "OK: the array's table is that of the local run"
