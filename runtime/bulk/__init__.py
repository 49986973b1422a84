"""Many records changed, handed over or deleted at once: chosen, rehearsed with counts, done, taken back."""
