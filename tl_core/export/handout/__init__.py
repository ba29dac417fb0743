"""Files that are given away as they are: they import nothing of ours."""
