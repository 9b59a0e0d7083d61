"""The pages of staff: the books as finance sees them, and who may call and come in."""
