"""The one service through which every write passes, and the pipeline behind it (decision 0008)."""
