//! Numbers as people read them.

/// A share in percent: `97.1 %`.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// `93.0 to 97.2 %`.
pub(crate) fn percents([low, high]: [f64; 2]) -> String {
    format!("{:.1} to {:.1} %", 100.0 * low, 100.0 * high)
}

/// Four significant digits, without needless zeros; powers of ten where there would be many.
pub(crate) fn short(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let size = value.abs().log10().floor() as i32;
    if !(-4..7).contains(&size) {
        return format!("{value:.2e}");
    }
    let text = format!("{value:.*}", (3 - size).max(0) as usize);
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// A probability: `0.012`, or `< 0.001`.
pub(crate) fn probability(value: f64) -> String {
    match value {
        _ if value < 0.001 => "< 0.001".to_owned(),
        _ => format!("{value:.3}"),
    }
}

/// `1 image`, `2 images`.
pub(crate) fn images(count: usize) -> String {
    format!("{count} image{}", if count == 1 { "" } else { "s" })
}

/// A text without control characters, which no XML file may hold.
pub(crate) fn printable(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (value, text) in [
            (0.0, "0"),
            (0.5, "0.5"),
            (0.123_456, "0.1235"),
            (12.0, "12"),
            (1234.56, "1235"),
            (-0.001_234_5, "-0.001234"),
            (1e9, "1.00e9"),
            (0.000_01, "1.00e-5"),
        ] {
            assert_eq!(short(value), text);
        }
        assert_eq!(probability(0.000_9), "< 0.001");
        assert_eq!(percents([0.5, 1.0]), "50.0 to 100.0 %");
    }
}
