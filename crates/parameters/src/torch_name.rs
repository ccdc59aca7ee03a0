//! What a parameter is called in PyTorch.

/// The name that a parameter of an auto-encoder or a discriminator has in PyTorch, where layers and what is behind them stand in lists:
/// `downsample.0.layers.1.conv.weight` is `downsample.0.3.weight` there, as a convolution, its norm and a ReLU count as three entries.
pub fn torch_name(ours: &str) -> String {
    let mut names = Vec::new();
    let mut parts = ours.split('.').peekable();
    let mut position = None;
    while let Some(part) = parts.next() {
        match part {
            // The list of a block's or a down-sampler's layers; the residual blocks of a stage are a bare list there.
            "layers" | "body" => {
                if part == "body" {
                    names.push("body".to_owned());
                }
                let index = parts
                    .next()
                    .and_then(|index| index.parse::<usize>().ok())
                    .unwrap_or(0);
                position = Some(index);
            }
            "shortcut" => {
                names.push("skip".to_owned());
                position = Some(0);
            }
            "blocks" => {}
            "conv" | "norm" => {
                let offset = usize::from(part == "norm");
                names.push((3 * position.unwrap_or(0) + offset).to_string());
                position = None;
            }
            _ => {
                // A head's convolutions have an activation, but no norm, behind them.
                if let Some(index) = position.take() {
                    names.push((2 * index).to_string());
                }
                names.push(part.to_owned());
            }
        }
    }
    names.join(".")
}

#[cfg(test)]
mod tests {
    use super::torch_name;

    #[test]
    fn names_translate() {
        for (ours, theirs) in [
            ("downsample.0.layers.1.conv.weight", "downsample.0.3.weight"),
            ("fuse.blocks.1.body.1.norm.bias", "fuse.1.body.4.bias"),
            (
                "decode.0.blocks.0.shortcut.norm.weight",
                "decode.0.0.skip.1.weight",
            ),
            ("heads.1.layers.2.weight", "heads.1.4.weight"),
        ] {
            assert_eq!(torch_name(ours), theirs);
        }
    }
}
