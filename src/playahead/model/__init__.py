"""The anticipator (PAPER.md 1.2-1.3), a file per piece. Knows neither sources nor labels."""
