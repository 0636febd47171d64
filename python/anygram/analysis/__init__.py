"""Questions asked of an Index, through its public methods alone."""
