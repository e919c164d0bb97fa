"""One self-contained page that says what runs scored, and why."""
