#!/bin/sh
# Stands in for `ckaad`: does no training, notes what it was asked in $STUB_LOG, and reports an AUROC of (seed - 100) / 20.
# A run of the seed in $STUB_FAIL fails; one of the seed in $STUB_HANG never ends.
set -e
case "$1" in
weights) exit 0 ;;
train)
    if [ "$2" = --resume ]; then
        run=$3
        echo "resume" >>"$STUB_LOG"
    else
        run=$5
        if [ -e "$run" ]; then
            echo "error: $run exists already" >&2
            exit 1
        fi
        mkdir -p "$run/checkpoint"
        cp "$3" "$run/config.toml"
        echo "train" >>"$STUB_LOG"
    fi
    seed=$(sed -n 's/^seed = //p' "$run/config.toml")
    if [ "$seed" = "$STUB_FAIL" ]; then
        echo "error: made to fail" >&2
        exit 1
    fi
    if [ "$seed" = "$STUB_HANG" ]; then
        echo "$$" >"$STUB_LOG.pid"
        exec sleep 600
    fi
    echo model >"$run/model.safetensors"
    echo state >"$run/checkpoint/last.safetensors"
    ;;
evaluate)
    run=$2
    echo "evaluate" >>"$STUB_LOG"
    seed=$(sed -n 's/^seed = //p' "$run/config.toml")
    # Sections and `key = value` lines of TOML as JSON; its texts, numbers and lists are those of JSON.
    config=$(awk '
        /^\[/ { gsub(/[][]/, ""); printf "%s%s\"%s\": {", close_, comma, $0; close_ = "}"; comma = ""; next }
        / = / { key = $1; sub(/^[^=]*= /, ""); printf "%s\"%s\": %s", comma, key, $0; comma = ", "; next }
        /^$/ { comma = ", " }
        END { printf "%s", close_ }' "$run/config.toml")
    auroc=$(awk -v seed="$seed" 'BEGIN { print (seed - 100) / 20 }')
    cat >"$run/report.json" <<REPORT
{"last": {"epoch": 1, "image": {"image_auroc": $auroc, "oracle_f1_max": 0.5, "oracle_accuracy": 0.5},
  "at_threshold": {"accuracy": 0.5, "f1": null}}, "config": {$config}, "device": "cpu", "version": "stub"}
REPORT
    ;;
*) exit 2 ;;
esac
