"""A simulated month of an outbound centre: invented people, invented calls, the real rules, policy and casework."""
