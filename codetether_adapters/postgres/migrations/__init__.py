"""The schema, step by step: plain SQL in numbered files, each applied once, in order, and never changed."""
