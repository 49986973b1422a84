"""Who may do and see what: the principal, the rights its sets give, and the gate every path passes."""
