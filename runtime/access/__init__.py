"""Who may do and see what: the principal, the rights its permission sets give, and the gate every path passes."""
