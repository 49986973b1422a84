"""The pages about how one signs in oneself: password, second factor, sessions, API tokens."""
