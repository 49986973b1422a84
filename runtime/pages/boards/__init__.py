"""Records as cards on a board and as entries of a calendar, and how they are moved there."""
