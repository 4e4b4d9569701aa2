"""Asking and consenting: an app's request, a person's decision, the code that carries it, and taking it back."""
