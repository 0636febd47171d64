"""Which documents of a corpus to drop, so that evaluations stay what they are."""
