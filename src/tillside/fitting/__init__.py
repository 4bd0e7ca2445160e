"""What fits what: a shop's rules over item attributes, what they say of a pair, and which kinds go with which.

``rules`` holds the terms, ``matching`` binds them to items and answers for pairs, ``kinship`` proposes complements by
kind for items that no log knows. They are mined with, stored beside the relations, and kept by the policy in all that
is shown.
"""
