"""Siting: where the next facilities do most good, with proof.

The solvers work on plain arrays: an `Instance` (who lives where, which sites come near
them), `Limits` (what the choice must keep) and a `Control` (how long it may take). Each
gives a `Solution` with its objective, a proved bound and the gap between them.
"""
