"""Background jobs: each calls one service; schedule.py is the table of what runs when."""
