use super::bench::Bench;

pub(super) fn cases(bench: &mut Bench) {
    for (what, seed) in [
        (
            "a PyTorch file with a value that is no number",
            "pytorch/bad-nan.pth",
        ),
        (
            "a PyTorch file of 500 bytes that describes a gibibyte",
            "pytorch/bad-repeated.pth",
        ),
        (
            "a PyTorch file of twenty tensors on one value",
            "pytorch/bad-many.pth",
        ),
        (
            "a PyTorch file that describes 4 TiB",
            "pytorch/bad-short.pth",
        ),
        ("a pickle that would run a program", "pytorch/bad-call.pth"),
        ("a PyTorch file of another network", "pytorch/zip.pth"),
        (
            "a PyTorch file of the legacy format, of another network",
            "pytorch/legacy.pth",
        ),
        (
            "safetensors with an infinite value",
            "safetensors/bad-infinite.safetensors",
        ),
        (
            "safetensors that ask for four terabytes",
            "safetensors/bad-terabytes.safetensors",
        ),
        (
            "safetensors whose offsets overlap",
            "safetensors/bad-overlap.safetensors",
        ),
        (
            "safetensors without a tensor",
            "safetensors/empty.safetensors",
        ),
        ("a JPEG file", "image/small.jpg"),
    ] {
        bench.seed(seed, "w");
        refused(bench, what, "w");
    }
    let zip = bench.read("w");
    bench.write("w", "");
    refused(bench, "an empty file", "w");
    bench.seed("pytorch/zip.pth", "w");
    let whole = bench.read("w");
    bench.write("w", &whole[..whole.len() / 2]);
    refused(bench, "half a PyTorch file", "w");
    bench.seed("pytorch/legacy.pth", "w");
    let whole = bench.read("w");
    bench.write("w", &whole[..whole.len() / 2]);
    refused(bench, "half a PyTorch file of the legacy format", "w");
    bench.write("w", [&b"\x80\x02"[..], &[b']'; 100_000], b"."].concat());
    refused(bench, "a pickle of 100000 lists", "w");
    bench.write("w", zip);
    refused(bench, "weights that are not there", "absent.pth");
    refused(bench, "a folder", "data");
    refused(bench, "a named pipe", "pipe");
    refused(bench, "a device without an end", "/dev/zero");
    bench.refused("no weights at hand", "weights path resnet18", &[]);
    bench.refused(
        "weights of an unknown network",
        "weights path resnet19",
        &[],
    );
}

fn refused(bench: &mut Bench, what: &str, file: &str) {
    let args = "train --layout mvtec-ad --category weave --data data --image-size 64 --backbone resnet18 --detector gaussian --out out --weights";
    bench.refused(what, &format!("{args} {file}"), &["out"]);
}
