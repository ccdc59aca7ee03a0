#!/bin/sh
# flat.sh PROGRAM FOLDER: memory and open files of 200 epochs of a small run, and of a prediction of 20,000 small images. Prints, for each quarter of the
# time, the largest resident memory in KiB and the most open files, and fails if either grows by more than a tenth from the second quarter to the last.
# Run by hand; takes minutes.
set -eu
ckaad=$1
mkdir -p "$2"
cd "$2"
rm -rf data run many out
settings="--layout mvtec-ad --category bottle --image-size 32 --batch 8 --random-features --seed 5 --set stages=[1] --set anomalies=\"elastic\""
"$ckaad" datasets synth mvtec-ad data >/dev/null

# watch NAME COMMAND...: runs it, and looks at it five times a second.
watch() {
    name=$1
    shift
    "$@" >/dev/null 2>said &
    pid=$!
    : >"$name.seen"
    while kill -0 $pid 2>/dev/null; do
        rss=$(awk '/^VmRSS/ {print $2}' /proc/$pid/status 2>/dev/null) || break
        files=$(ls /proc/$pid/fd 2>/dev/null | wc -l)
        [ -n "$rss" ] && [ "$files" -gt 0 ] && echo "$rss $files" >>"$name.seen"
        sleep 0.2
    done
    wait $pid || { cat said >&2; exit 1; }
    awk -v name="$name" '
        {rss[NR] = $1; files[NR] = $2}
        END {
            for (q = 0; q < 4; q++) {
                most = open = 0
                for (i = int(q * NR / 4) + 1; i <= int((q + 1) * NR / 4); i++) {
                    if (rss[i] > most) most = rss[i]
                    if (files[i] > open) open = files[i]
                }
                printf "%s, quarter %d of 4: %d KiB, %d open files\n", name, q + 1, most, open
                memory[q] = most; opened[q] = open
            }
            exit memory[3] > 1.1 * memory[1] || opened[3] > 1.1 * opened[1]
        }' "$name.seen"
}

watch "200 epochs" "$ckaad" train $settings --data data --epochs 200 --out run
mkdir many
set -- data/bottle/test/*/*.png
i=0
while [ $i -lt 20000 ]; do
    for image in "$@"; do
        [ $i -lt 20000 ] || break
        cp "$image" "many/$i.png"
        i=$((i + 1))
    done
done
watch "20,000 images" "$ckaad" predict run many --out out
test "$(wc -l <out/predictions.csv)" = 20001
