"""Whether the examples of a benchmark stand in a corpus, by the rules that were published for it."""
