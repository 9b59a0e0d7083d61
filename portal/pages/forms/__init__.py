"""The forms of pages, by the page they are on."""
