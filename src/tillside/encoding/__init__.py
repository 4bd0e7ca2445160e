"""Session encoding: the one package by which training, evaluation, export and serving all see a session.

Items without a model vector are dropped, the last ``max_length`` events are kept, and the time since the previous event
becomes a logarithmic bucket. Rows are right-padded; ``lengths_B`` masks the padding. A prefix of up to ``max_length``
events is encoded the same wherever it occurs, so there is no train/serve skew. Events of the shopper's earlier sessions
may precede the session's own in the same row. How long a session is and what was done in it is known whatever its
items: beside the row stand the behaviours of all its events, by which purchase intent counts.
"""
