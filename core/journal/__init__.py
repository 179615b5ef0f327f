"""One SQLite file per session: appended, hash-chained, sealed, verified."""
