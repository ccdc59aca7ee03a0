//! All figures with what they belong to, as JSON and as Markdown.

use std::fmt::Write;

use serde::Serialize;

use super::figures::{Figures, Peer, Row};
use super::images::Summary;
use super::load;
use super::machine::Machine;

#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) date: String,
    pub(super) commit: String,
    pub(super) machine: Machine,
    /// Versions of the peers.
    pub(super) theirs: Option<String>,
    pub(super) threads: usize,
    pub(super) side: usize,
    pub(super) batch: usize,
    pub(super) device: String,
    pub(super) precision: String,
    pub(super) rounds: usize,
    pub(super) realtime: bool,
    /// The greater share of the cores' time that other work took before or after.
    pub(super) other_work: Option<f64>,
    pub(super) images: Option<Summary>,
    pub(super) rows: Vec<Row>,
    pub(super) notes: Vec<&'static str>,
}

impl Report {
    pub(super) fn markdown(&self) -> String {
        let Machine {
            processor,
            cores,
            memory_gib,
            system,
            gpus,
        } = &self.machine;
        let memory = memory_gib.map_or(String::new(), |gib| format!(", {gib:.1} GiB"));
        let realtime = if self.realtime {
            "; under SCHED_FIFO"
        } else {
            ""
        };
        let mut lines = vec![
            format!("# Speed, {}, commit {}", self.date, self.commit),
            String::new(),
            format!(
                "- Machine: {processor}, {cores} cores{memory}, {system}; {} threads{realtime}",
                self.threads
            ),
            format!(
                "- Network: ResNet-18, stages 2 and 3, {side} x {side} pixels, on {}, products in {}",
                self.device,
                self.precision,
                side = self.side
            ),
        ];
        if let Some(gpus) = gpus.as_ref().filter(|_| self.device != "cpu") {
            lines.insert(3, format!("- GPUs and driver: {gpus}"));
        }
        lines.insert(3, load::line(self.other_work));
        lines.extend(
            self.images
                .as_ref()
                .map(|images| format!("- Images: {}", images.line())),
        );
        lines.push(match &self.theirs {
            Some(versions) => format!("- Peers: {versions}"),
            None => "- Peers: not measured".to_owned(),
        });
        lines.push(format!(
            "- Times: medians of {} turns (least - greatest), all in alternation; ratio: our median / that of the fastest peer; peak memory in MiB",
            self.rounds
        ));
        lines.extend([String::new(), HEAD.to_owned()]);
        lines.extend(self.rows.iter().map(Row::line));
        lines.push(String::new());
        lines.extend(self.notes.iter().map(|note| format!("- {note}")));
        lines.join("\n") + "\n"
    }
}

const HEAD: &str = "| work | ours | fastest peer | ratio | goal | our peak | its peak | images/s, ours | its | other peers |\n|---|---|---|---|---|---|---|---|---|---|";

impl Summary {
    fn line(&self) -> String {
        let mut line = if self.synthetic {
            "SYNTHETIC stand-ins of ChestXRay2017".to_owned()
        } else {
            self.name.clone()
        };
        if let Some(cap) = self.capped {
            let _ = write!(line, ", REDUCED to {cap} training images of each kind");
        }
        let _ = write!(
            line,
            "; {} normal and {} labelled training images, {} for validation, {} steps an epoch",
            self.normal, self.labelled, self.validation, self.steps
        );
        line
    }
}

impl Row {
    pub(super) fn line(&self) -> String {
        let missing = || "-".to_owned();
        let named = |peer: &Peer| format!("{} {}", peer.name, peer.figures.seconds());
        let best = self.best();
        let others: Vec<String> = self
            .peers
            .iter()
            .filter(|peer| best.is_none_or(|best| best.name != peer.name))
            .map(named)
            .collect();
        let theirs = best.map(|peer| &peer.figures);
        let rate = |side: &Figures| format!("{:.1}", self.images as f64 / side.median);
        format!(
            "| {} | {} | {} | {} | {} | {:.0} | {} | {} | {} | {} |",
            self.what,
            self.ours.seconds(),
            best.map_or_else(missing, named),
            self.ratio
                .map_or_else(missing, |ratio| format!("{ratio:.2}")),
            self.goal
                .map_or_else(missing, |goal| format!("<= {goal:.2}")),
            self.ours.peak_mib,
            theirs.map_or_else(missing, |theirs| format!("{:.0}", theirs.peak_mib)),
            rate(&self.ours),
            theirs.map_or_else(missing, rate),
            others.join(", "),
        )
    }
}

impl Figures {
    /// Three digits or more of each, in one unit.
    fn seconds(&self) -> String {
        let (factor, unit) = if self.median < 1.0 {
            (1e3, "ms")
        } else {
            (1.0, "s")
        };
        let [median, least, greatest] =
            [self.median, self.least, self.greatest].map(|seconds| seconds * factor);
        let digits = match median {
            ..10.0 => 2,
            ..100.0 => 1,
            _ => 0,
        };
        format!("{median:.digits$} {unit} ({least:.digits$} - {greatest:.digits$})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(median: f64, peak_mib: f64) -> Figures {
        Figures {
            median,
            least: median / 2.0,
            greatest: median * 2.0,
            peak_mib,
        }
    }

    fn report(images: Summary) -> String {
        let row = |peers: &[(&str, f64)]| Row {
            case: "epoch",
            what: "epoch".to_owned(),
            ours: figures(0.05, 512.4),
            ratio: peers.first().map(|(_, median)| 0.05 / median),
            peers: peers
                .iter()
                .map(|&(name, median)| Peer {
                    name: name.to_owned(),
                    figures: figures(median, 1024.0),
                })
                .collect(),
            goal: Some(0.7),
            images: 4,
        };
        Report {
            date: "2026-01-02".to_owned(),
            commit: "abc".to_owned(),
            machine: Machine::this(),
            theirs: None,
            threads: 2,
            side: 64,
            batch: 8,
            device: "cpu".to_owned(),
            precision: "f32".to_owned(),
            rounds: 3,
            realtime: false,
            other_work: None,
            images: Some(images),
            rows: vec![row(&[]), row(&[("A", 2.0), ("B", 4.0)])],
            notes: vec!["A note."],
        }
        .markdown()
    }

    fn images(synthetic: bool, capped: Option<usize>) -> Summary {
        Summary {
            name: "Xray".to_owned(),
            synthetic,
            capped,
            normal: 20,
            labelled: 1,
            validation: 2,
            steps: 2,
            files: 200,
        }
    }

    #[test]
    fn lines_show_all_sides_in_units_of_their_own() {
        let text = report(images(false, None));
        let whole = "| epoch | 50.0 ms (25.0 - 100.0) | A 2.00 s (1.00 - 4.00) | 0.03 | <= 0.70 | 512 | 1024 | 80.0 | 2.0 | B 4.00 s (2.00 - 8.00) |";
        let ours = "| epoch | 50.0 ms (25.0 - 100.0) | - | - | <= 0.70 | 512 | - | 80.0 | - |  |";
        assert!(text.contains(whole) && text.contains(ours), "{text}");
        assert!(text.contains("- Images: Xray; 20 normal"), "{text}");
    }

    #[test]
    fn stand_ins_and_caps_are_named() {
        let text = report(images(true, Some(20)));
        let said = "SYNTHETIC stand-ins of ChestXRay2017, REDUCED to 20 training images of each kind; 20 normal";
        assert!(text.contains(said), "{text}");
    }
}
