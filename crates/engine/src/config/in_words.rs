//! What is wrong with a configuration, as its writer would say it.

/// What a reader of TOML says, with where a key stands in the same line, with what else follows in lines that are indented and no longer than a page
/// is wide, and without the names of types that only programmers know.
pub(crate) fn in_words(text: &str) -> String {
    const WHOLE: &str = "expected a whole number of at least 0";
    let lines = lines(text);
    let lines = lines.replace("expected usize", WHOLE);
    let lines = lines.replace("expected u64", WHOLE);
    lines.replace("expected f64", "expected a number")
}

fn lines(text: &str) -> String {
    const WIDTH: usize = 160;
    let text = text.trim_end().replace("\nin `", ", in `");
    let indented =
        |line: &str| match line.starts_with(|first: char| first == ' ' || first.is_ascii_digit()) {
            true => line.chars().take(WIDTH).collect(),
            false => format!("  {line}"),
        };
    let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
    let rest = rest.lines().map(indented);
    std::iter::once(first.to_owned())
        .chain(rest)
        .collect::<Vec<String>>()
        .join("\n")
}
