"""The wire format: structs of requests and answers, limits, strict decoding and errors."""
