"""anygram inside other libraries: one module each, which imports that library and is imported by nobody here."""
