"""Structured logs, Prometheus metrics and OpenTelemetry spans."""
