//! Options that every benchmark shares.

use std::path::PathBuf;

use clap::Args;

use super::shard::Shard;

/// Names that `ckaad` knows; methods in the order of the paper's Table 3.
pub(crate) const METHODS: [&str; 5] = ["recon", "recon-sub", "gan", "cka-img", "cka-patch"];
const BACKBONES: [&str; 7] = [
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
    "wide_resnet50_2",
    "wide_resnet101_2",
];

/// Which part of the grid, with which settings, where.
#[derive(Clone, Debug, Args)]
pub(crate) struct GridArgs {
    #[command(flatten)]
    pub(crate) choice: ChoiceArgs,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
}

/// What the grid holds.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Grid")]
pub(crate) struct ChoiceArgs {
    /// Data sets, by their names in `datasets/`; those of the paper's table if not given
    #[arg(long, value_delimiter = ',')]
    pub(crate) datasets: Vec<String>,
    /// Categories (objects of MVTec AD and VisA, normal classes of CIFAR-10); all if not given
    #[arg(long, value_delimiter = ',')]
    pub(crate) categories: Vec<String>,
    /// Methods
    #[arg(long, value_delimiter = ',', value_parser = METHODS)]
    pub(crate) methods: Vec<String>,
    /// Detectors: `ckaad` (with its --methods), others of `ckaad train --detector`, or all; controls stand in the same table
    #[arg(long, value_delimiter = ',')]
    pub(crate) detectors: Vec<String>,
    /// Labelled ratios
    #[arg(long, value_delimiter = ',')]
    pub(crate) ratios: Vec<f64>,
    /// Numbers of labelled classes: 1 takes every class in turn, more draws them at random by the seed
    #[arg(long, value_delimiter = ',')]
    pub(crate) k: Vec<usize>,
    /// Seeds; 111, 112, 113 if not given, up to 115 where labelled classes are drawn at random
    #[arg(long, value_delimiter = ',')]
    pub(crate) seeds: Vec<u64>,
    /// Passes over the normal images
    #[arg(long)]
    pub(crate) epochs: Option<u32>,
    /// Side of the resized images in pixels
    #[arg(long, value_name = "PIXELS")]
    pub(crate) image_size: Option<u32>,
    /// Normal images per step
    #[arg(long)]
    pub(crate) batch: Option<u32>,
    /// Backbone
    #[arg(long, value_parser = BACKBONES)]
    pub(crate) backbone: Option<String>,
    /// Use synthetic stand-ins and seeded random features: no data, weights or network; the tables say so
    #[arg(long)]
    pub(crate) sample: bool,
    /// Use the reduced setting of `xtask/settings.toml`; the tables state it
    #[arg(long)]
    pub(crate) quick: bool,
}

/// Where and how runs are done.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Running")]
pub(crate) struct PlaceArgs {
    /// Folder that holds the data sets
    #[arg(
        long,
        value_name = "DIR",
        env = "CKAAD_DATA",
        default_value = "datasets/data"
    )]
    pub(crate) data: PathBuf,
    /// Folder for runs and tables; finished runs in it are used again
    #[arg(long, value_name = "DIR", default_value = "benchmarks")]
    pub(crate) out: PathBuf,
    /// Where to compute: cpu, cuda, wgpu, vulkan, metal; cuda:1 is the second GPU
    #[arg(long, default_value = "cpu")]
    pub(crate) device: String,
    /// Features to build `ckaad` with, for example cuda
    #[arg(long, value_delimiter = ',')]
    pub(crate) features: Vec<String>,
    /// Use this `ckaad` instead of building one
    #[arg(long, value_name = "FILE")]
    pub(crate) binary: Option<PathBuf>,
    /// Runs at the same time
    #[arg(long, default_value_t = 1)]
    pub(crate) jobs: usize,
    /// CPU threads of each run; the cores divided by --jobs if not given
    #[arg(long)]
    pub(crate) threads: Option<usize>,
    /// Keep the model files of finished runs (about 130 MB a run with ResNet-18) instead of their reports alone
    #[arg(long)]
    pub(crate) keep_models: bool,
    /// Print the grid, its size and an estimate of the time from one timed step, and run nothing
    #[arg(long)]
    pub(crate) plan: bool,
}

/// Other machines.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Beyond one machine")]
pub(crate) struct ClusterArgs {
    /// Do the I-th of N parts of the grid and write no tables; `cargo xtask collect` makes them
    #[arg(long, value_name = "I/N")]
    pub(crate) shard: Option<Shard>,
    /// Write an sbatch script of a job array, one task per run, and run nothing
    #[arg(long, value_name = "FILE")]
    pub(crate) slurm: Option<PathBuf>,
    /// Write a Kubernetes Indexed Job, one index per run, and run nothing
    #[arg(long, value_name = "FILE", conflicts_with = "slurm")]
    pub(crate) kubernetes: Option<PathBuf>,
    /// CPU cores of a run on the cluster
    #[arg(long, default_value_t = 4)]
    pub(crate) cluster_cpus: usize,
    /// Memory of a run on the cluster, in GiB
    #[arg(long, default_value_t = 16)]
    pub(crate) cluster_memory: usize,
    /// GPUs of a run on the cluster; 1 if the device is no CPU
    #[arg(long)]
    pub(crate) cluster_gpus: Option<usize>,
    /// Longest time of a run on the cluster, in hours
    #[arg(long, default_value_t = 24)]
    pub(crate) cluster_hours: usize,
    /// Runs at the same time on the cluster
    #[arg(long, default_value_t = 16)]
    pub(crate) cluster_parallel: usize,
    /// Container image that holds `xtask` and `ckaad` in its PATH, for --kubernetes
    #[arg(long, value_name = "NAME", default_value = "ckaad-bench:latest")]
    pub(crate) cluster_image: String,
    /// Persistent volume claim with the data sets, for --kubernetes
    #[arg(long, value_name = "NAME", default_value = "ckaad-data")]
    pub(crate) cluster_data_claim: String,
    /// Persistent volume claim for runs and tables, for --kubernetes
    #[arg(long, value_name = "NAME", default_value = "ckaad-results")]
    pub(crate) cluster_out_claim: String,
}

impl ClusterArgs {
    /// GPUs of a run.
    pub(crate) fn gpus(&self, device: &str) -> usize {
        self.cluster_gpus.unwrap_or(usize::from(device != "cpu"))
    }
}
