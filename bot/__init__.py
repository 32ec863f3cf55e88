"""What we decide, remember and do."""

VERSION = "0.1.0"
