"""Why was it refused? Turns what came and what is known into a finding, for those to whom it belongs."""
