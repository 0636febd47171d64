"""Which documents a question is about: `where`. Its modules are imported when a question first has one."""
