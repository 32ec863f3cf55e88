"""What the operator needs: health, metrics, logs, the self-check, and the replay of cases."""
