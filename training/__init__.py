"""How the reader was made; no part of the installed program."""
