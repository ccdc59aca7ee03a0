//! Other work on the machine, which makes times and ratios wrong.

use std::time::Duration;

/// How long it is looked for.
const WATCH: Duration = Duration::from_secs(2);
/// The share of the cores' time from which on a report warns.
const TOLERATED: f64 = 0.05;

/// The share of all cores' time that is spent now, while nothing of ours runs; unknown where the system does not count it.
pub(super) fn share() -> Option<f64> {
    let [idle, total] = times()?;
    std::thread::sleep(WATCH);
    let [later_idle, later_total] = times()?;
    let passed = later_total
        .checked_sub(total)
        .filter(|&passed| passed > 0)?;
    Some(1.0 - later_idle.saturating_sub(idle) as f64 / passed as f64)
}

fn times() -> Option<[u64; 2]> {
    parse(&std::fs::read_to_string("/proc/stat").ok()?)
}

/// Ticks of all cores since the system started: idle ones (waiting for disks among them), and all.
fn parse(text: &str) -> Option<[u64; 2]> {
    let line = text.lines().next()?.strip_prefix("cpu ")?;
    let ticks: Vec<u64> = line
        .split_whitespace()
        .map(str::parse)
        .collect::<Result<_, _>>()
        .ok()?;
    // user, nice, system, idle, waiting, interrupts, soft interrupts, stolen; guests' are in user already.
    let counted = ticks.get(..8)?;
    Some([counted[3] + counted[4], counted.iter().sum()])
}

/// A line of the report.
pub(super) fn line(share: Option<f64>) -> String {
    match share {
        None => "- Other work on the machine: unknown".to_owned(),
        Some(share) if share <= TOLERATED => {
            format!(
                "- Other work on the machine: {:.0} % of its cores' time, before or after",
                share * 100.0
            )
        }
        Some(share) => format!(
            "- BUSY MACHINE: other work took {:.0} % of its cores' time before or after, so neither times nor ratios hold. PyTorch's threads \
             spin while they wait for each other and lose more by it than ours",
            share * 100.0
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_and_all_ticks_are_read() {
        let text = "cpu  10 20 30 400 50 6 7 8 9 1\ncpu0 1 2 3 4 5 6 7 8 9 1\n";
        assert_eq!(parse(text), Some([450, 531]));
        assert_eq!(parse("nothing"), None);
    }

    #[test]
    fn a_busy_machine_is_named() {
        assert!(line(Some(0.3)).contains("BUSY MACHINE: other work took 30 %"));
        assert!(!line(Some(0.01)).contains("BUSY"));
    }
}
