"""What we say: reviewed words, rules and numbers, as data."""
