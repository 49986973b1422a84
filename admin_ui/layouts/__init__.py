"""The layout editor: how the page and the form of a record are arranged, by mouse or by keyboard."""
