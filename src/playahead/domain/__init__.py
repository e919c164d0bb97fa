"""The words of the field. Imports nothing else of the package but its errors."""
