"""Conditions in rows, for people who write no formulas: to a formula and back without loss (UX39)."""
