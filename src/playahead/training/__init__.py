"""Training: the resumable loop, the trainer, several devices, and the end of a run."""
