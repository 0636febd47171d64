"""What pages of reports share: the look, the filters, and how a template becomes a page that needs nothing else."""
