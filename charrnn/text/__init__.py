"""Language: files, characters and ids; no derivatives."""
