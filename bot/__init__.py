"""What we decide, remember and do."""
