"""Sources of football: every provider's files to rows. Quirks and field names stop at the reader."""
