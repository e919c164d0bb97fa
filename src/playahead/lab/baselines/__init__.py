"""What any model must beat: no more than how often things happen, or what follows the last action seen."""
