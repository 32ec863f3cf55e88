"""What the operator needs: health and self-check."""
