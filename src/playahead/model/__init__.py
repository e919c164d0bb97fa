"""The anticipator (docs/paper.md 1.2-1.3), a file per piece. Knows neither sources nor labels."""
