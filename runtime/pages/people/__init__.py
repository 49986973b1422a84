"""The pages of those who manage users: invitations, and what is done about the sign-ins of others."""
