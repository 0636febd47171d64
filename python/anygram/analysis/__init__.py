"""Questions asked of an index by its public methods: what a corpus has to say about texts and models."""
