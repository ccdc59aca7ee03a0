#!/bin/sh
# read_only.sh PROGRAM FOLDER: runs and results on a file system that cannot be written. FOLDER has images in `data`. Needs a mount namespace of its own.
set -eu
ckaad=$1
cd "$2"
settings="--layout mvtec-ad --category weave --image-size 32 --batch 2 --random-features --seed 5 --set stages=[1] --data data"
mkdir disk
mount -t tmpfs -o size=64m tmpfs disk
"$ckaad" train $settings --epochs 1 --out disk/run 2>/dev/null
(cd disk/run && find . -type f -exec sha256sum {} +) >before
mount -o remount,ro disk

refused() {
    if "$@" 2>said; then echo "$* succeeded" >&2; exit 1; fi
    grep -q "Read-only file system" said && grep -q "disk" said || { cat said >&2; exit 1; }
}
refused "$ckaad" train --resume disk/run --epochs 2
echo "ok going on is refused by name"
refused "$ckaad" train $settings --epochs 1 --out disk/new
test ! -e disk/new
echo "ok beginning is refused by name"
refused "$ckaad" evaluate disk/run
refused "$ckaad" predict disk/run data/weave/test/good --out disk/out
echo "ok results are refused by name"
(cd disk/run && sha256sum -c ../../before >/dev/null)
echo "ok nothing has changed"
# What only reads goes on.
"$ckaad" predict disk/run data/weave/test/good --out out >/dev/null 2>&1
test -s out/predictions.csv
echo "ok a model there can be used"
