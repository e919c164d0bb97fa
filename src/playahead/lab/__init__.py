"""Research around the paper: comparisons, reports, baselines, simulated football, FAANTRA, pre-training, measuring."""
