"""What it costs, beside others on the same stand-in in the same run; nothing here is asserted."""
