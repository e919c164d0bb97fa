"""Files, settings, tensors, the machine, errors and progress: what every package needs."""
