"""Rights as people hold them: until when, taken in an emergency, confirmed or taken back."""
