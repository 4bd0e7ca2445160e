"""A placement policy at work: policy file, items feed, assortment, and requests in the policy's terms."""
