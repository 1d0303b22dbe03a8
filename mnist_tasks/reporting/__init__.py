"""Show runs, verdicts and sweeps to people and to other programs."""
