"""The HTTP surface: public API, admin API, authentication, problem details, OpenAPI, load shedding."""
