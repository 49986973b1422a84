"""The journal of every committed write: rows, the sealer, history, undo (decision 0006)."""
