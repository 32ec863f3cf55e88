"""Due rows become messages: claim, send, finish."""
