"""Packages in Studio: what is there, what one would bring, samples, taking one out, making one."""
