#!/bin/sh
# disk_full.sh PROGRAM FOLDER: a run on a file system that fills up. FOLDER has images in `data`. Needs a mount namespace of its own.
set -eu
ckaad=$1
cd "$2"
settings="--layout mvtec-ad --category weave --image-size 32 --batch 2 --random-features --seed 5 --set stages=[1] --data data"
mkdir disk
mount -t tmpfs -o size=64m tmpfs disk

"$ckaad" train $settings --epochs 1 --out disk/run 2>/dev/null
(cd disk/run && sha256sum checkpoint/last.safetensors model.safetensors config.toml log.jsonl) >before

fill() { dd if=/dev/zero of=disk/fill bs=4k 2>/dev/null || true; }
fill
if "$ckaad" train --resume disk/run --epochs 2 2>said; then echo "it went on with a full disk" >&2; exit 1; fi
grep -q "No space left on device" said || { cat said >&2; exit 1; }
(cd disk/run && sha256sum -c ../../before >/dev/null)
echo "ok a full disk is named, and the run is as it was"
test -z "$(find disk/run -name '*.part')"
echo "ok no unfinished file is left"

if "$ckaad" train $settings --epochs 1 --out disk/new 2>said; then echo "it began with a full disk" >&2; exit 1; fi
grep -q "No space left on device" said || { cat said >&2; exit 1; }
rm disk/fill
"$ckaad" train $settings --epochs 1 --out disk/new 2>/dev/null
echo "ok a run that could not begin can begin once there is room"

"$ckaad" train --resume disk/run --epochs 2 2>/dev/null
"$ckaad" train $settings --epochs 2 --out whole 2>/dev/null
cmp whole/model.safetensors disk/run/model.safetensors
echo "ok with room again the run ends as one that was never stopped"
