"""Training of the small entailment model: splits, pairs, training, export."""
