"""Code in, access grant out."""
