use ckaad_detectors::fusion::Settings;

use super::{Inputs, Scored, draw as draw_member};
use crate::ExportError;
use crate::graph::{Graph, Value};
use crate::weights::Weights;

/// The weighted mean of standardised scores and maps.
pub(super) fn draw(
    graph: &mut Graph,
    settings: &Settings,
    inputs: &Inputs<'_>,
    weights: &Weights<'_>,
) -> Result<Scored, ExportError> {
    let shares = |names: [&str; 3]| -> Result<Vec<Share>, ExportError> {
        let [weight, mean, deviation] = names.map(|name| weights.doubles(name));
        let columns = weight?.into_iter().zip(mean?).zip(deviation?);
        Ok(columns
            .map(|((weight, mean), deviation)| Share {
                weight,
                mean,
                deviation,
            })
            .collect())
    };
    let scores = shares(["weights", "score_mean", "score_deviation"])?;
    let maps = shares(["map_weights", "map_mean", "map_deviation"])?;
    let (mut score, mut map) = (None, None);
    for (index, member) in settings.members.iter().enumerate() {
        let (Some(of_score), Some(of_map)) = (scores.get(index), maps.get(index)) else {
            return Err(weights.wrong("weights"));
        };
        // A member that counts for nothing is not in the model.
        if of_score.weight == 0.0 && of_map.weight == 0.0 {
            continue;
        }
        let scored = draw_member(graph, member, inputs, &weights.at(index))?;
        score = Some(of_score.added(graph, scored.score, score));
        if let Some(of_member) = scored.map.filter(|_| of_map.weight != 0.0) {
            map = Some(of_map.added(graph, of_member, map));
        }
    }
    Ok(Scored {
        score: score.ok_or_else(|| weights.wrong("weights"))?,
        map,
    })
}

/// How much a member's values count, and on which scale.
struct Share {
    weight: f64,
    mean: f64,
    deviation: f64,
}

impl Share {
    /// `sum + weight (values - mean) / deviation`
    fn added(&self, graph: &mut Graph, values: Value, sum: Option<Value>) -> Value {
        let mean = graph.scalar(self.mean as f32);
        let centred = graph.sub(values, mean);
        let share = graph.scale(centred, (self.weight / self.deviation) as f32);
        match sum {
            Some(sum) => graph.add(sum, share),
            None => share,
        }
    }
}
