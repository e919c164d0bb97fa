"""Many runs side by side: what a grid asks for, what each run scored, which differences are significant."""
