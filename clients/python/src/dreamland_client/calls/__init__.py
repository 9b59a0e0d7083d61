"""The calls of the API, a module a noun. `Dreamland` has them all."""
