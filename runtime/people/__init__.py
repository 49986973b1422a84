"""People and their sign-ins: invitations, new passwords, second factors, and who may have a say in them."""
