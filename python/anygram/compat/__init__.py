"""Other projects' interfaces, answered by anygram: code written for them changes one import."""
