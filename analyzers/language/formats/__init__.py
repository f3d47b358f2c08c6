"""One file per small format: each turns a path and its bytes into rows, and is loaded where there is such a file."""
