"""infini-gram's Python interface, over the indexes people have."""
