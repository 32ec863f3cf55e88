"""What the bot does, one module per moment of a patient's day."""
