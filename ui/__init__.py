"""The two faces of Footnote: the browser and the terminal."""
