"""Networks in the files of other frameworks."""
