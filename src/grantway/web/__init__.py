"""HTTP in, JSON out: routes.py is the table of every URL, and one file holds each group of them."""
