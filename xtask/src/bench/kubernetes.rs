//! `--kubernetes FILE`: an Indexed Job, one index per run.

use std::path::Path;

use super::args::GridArgs;
use super::grid::Grid;
use super::slurm::{own_arguments, quote};

/// Where the volumes are mounted.
const DATA: &str = "/data";
const OUT: &str = "/results";

/// Writes the job.
pub(crate) fn write(file: &Path, args: &GridArgs, grid: &Grid) -> anyhow::Result<()> {
    let job = job(args, grid, &own_arguments(std::env::args_os().skip(1)));
    ckaad_files::write(file, job.as_bytes())?;
    println!(
        "wrote {}: {} runs. Create it by `kubectl create -f {}`; results go to the claim {}, tables are made from a copy of it by \
         `cargo xtask collect DIR`",
        file.display(),
        grid.runs.len(),
        file.display(),
        args.cluster.cluster_out_claim
    );
    Ok(())
}

fn job(args: &GridArgs, grid: &Grid, arguments: &[String]) -> String {
    let cluster = &args.cluster;
    let runs = grid.runs.len();
    let gpus = match cluster.gpus(&args.place.device) {
        0 => String::new(),
        count => format!("\n              nvidia.com/gpu: \"{count}\""),
    };
    let arguments: Vec<String> = arguments.iter().map(|argument| quote(argument)).collect();
    // Weights are looked for beside the data sets.
    let command = format!(
        "exec xtask {} --data {DATA} --out {OUT} --binary \"$(command -v ckaad)\" --threads {} \
         --shard \"$((JOB_COMPLETION_INDEX + 1))/{runs}\"",
        arguments.join(" "),
        cluster.cluster_cpus
    );
    format!(
        r#"# {title}: {runs} runs. The image holds `xtask` and `ckaad` in its PATH; pretrained weights lie in the folder `weights` of the
# claim with the data sets. Finished runs are skipped, so that creating the job again does what is missing.
apiVersion: batch/v1
kind: Job
metadata:
  generateName: ckaad-{name}-
spec:
  completionMode: Indexed
  completions: {runs}
  parallelism: {parallel}
  backoffLimitPerIndex: 1
  maxFailedIndexes: {runs}
  template:
    spec:
      restartPolicy: Never
      activeDeadlineSeconds: {seconds}
      containers:
        - name: ckaad
          image: {image}
          command: ["/bin/sh", "-c"]
          args:
            - {command}
          env:
            - name: CKAAD_WEIGHTS
              value: {DATA}/weights
          resources:
            requests:
              cpu: "{cpus}"
              memory: {memory}Gi
            limits:
              memory: {memory}Gi{gpus}
          volumeMounts:
            - name: data
              mountPath: {DATA}
              readOnly: true
            - name: results
              mountPath: {OUT}
      volumes:
        - name: data
          persistentVolumeClaim:
            claimName: {data_claim}
        - name: results
          persistentVolumeClaim:
            claimName: {out_claim}
"#,
        title = grid.title,
        name = grid.command,
        parallel = cluster.cluster_parallel.min(runs),
        seconds = cluster.cluster_hours * 3600,
        image = scalar(&cluster.cluster_image),
        command = scalar(&command),
        cpus = cluster.cluster_cpus,
        memory = cluster.cluster_memory,
        data_claim = scalar(&cluster.cluster_data_claim),
        out_claim = scalar(&cluster.cluster_out_claim),
    )
}

/// A YAML scalar in single quotes.
fn scalar(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_double_in_yaml() {
        assert_eq!(scalar("a 'b'"), "'a ''b'''");
    }
}
