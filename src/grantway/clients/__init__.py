"""Apps that ask: their registration, their secrets, and the judgement whether a request really comes from one of them."""
