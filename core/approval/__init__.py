"""Who may let what run, and for which bytes: drafts and digests, requests, decisions, `redeem`."""
