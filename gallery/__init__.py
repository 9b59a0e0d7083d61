"""bin/gallery: takes a picture of every page for docs/gallery.md, of a demo that is the same every time."""
