"""The Infini-gram paper, reproduced at small scale: see README.md."""
