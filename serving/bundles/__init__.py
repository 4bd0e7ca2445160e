"""Bundles at run time: fetching, verification, golden requests and atomic reloads."""
