"""Imports: files of wins from a client that was offline, booked by workers, line by line as if sent.

`files` takes a file apart as it comes in, `lines` reads its lines, `store` keeps imports and says how
far they are, `work` books them. Jobs and routes call these and nothing deeper.
"""
