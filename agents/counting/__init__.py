"""Predictors that count."""
