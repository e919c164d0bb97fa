"""What the command line does, a file per verb. Each function is the verb's options and its work."""
