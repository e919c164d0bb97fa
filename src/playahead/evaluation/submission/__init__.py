"""What the benchmark's server takes: ``results_anticipation.json``, zipped. No torch."""
