"""The wire format: structs of requests and answers, the table of request fields and its constraints, limits, strict
decoding, checks and errors.
"""
