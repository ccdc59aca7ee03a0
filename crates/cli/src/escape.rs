//! Text that shows what it holds and does nothing else.

/// A message as a terminal may have it: characters that would move its cursor, change its colours or the direction of reading are shown as Rust
/// writes them (`\u{1b}`), and so is the end of a line, unless an indented or numbered line follows, as messages have them. A file's name can then
/// forge no line of ours.
pub(crate) fn escaped(text: &str) -> String {
    escape(text, |rest| {
        rest.starts_with("  ") || rest.starts_with(|next: char| next.is_ascii_digit())
    })
}

/// The same for a text that is one line.
pub(crate) fn escaped_line(text: &str) -> String {
    escape(text, |_| false)
}

fn escape(text: &str, may_follow: impl Fn(&str) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for (at, character) in text.char_indices() {
        match character {
            '\n' if may_follow(&text[at + 1..]) => shown.push('\n'),
            other if other.is_control() || redirects(other) => shown.extend(other.escape_default()),
            other => shown.push(other),
        }
    }
    shown
}

/// Whether a character changes how others are laid out: line and paragraph ends, marks and overrides of direction.
fn redirects(character: char) -> bool {
    matches!(character, '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_name_reaches_the_terminal_as_more_than_text() {
        let name = "a\u{1b}[2J\u{1b}]0;x\u{7}\nerror: forged\r\u{9b}31m\u{202e}gnp.b";
        let shown = r"a\u{1b}[2J\u{1b}]0;x\u{7}\nerror: forged\r\u{9b}31m\u{202e}gnp.b";
        assert_eq!(escaped(name), shown);
        assert_eq!(escaped_line(name), shown);
        assert_eq!(escaped("x\n WARN forged"), r"x\n WARN forged");
    }

    #[test]
    fn lists_and_excerpts_stay() {
        let list = "the masks cannot be used:\n  a.png\n  b.png";
        assert_eq!(escaped(list), list);
        let excerpt = "TOML parse error at line 1\n  |\n1 | batch = x\n  |         ^";
        assert_eq!(escaped(excerpt), excerpt);
        assert_eq!(escaped_line("a\n  b"), r"a\n  b");
        assert_eq!(escaped("正常 é.png"), "正常 é.png");
    }
}
