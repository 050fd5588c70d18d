"""Tables of any make: rows of CSV, Parquet, JSON and data sets on disk, and which of their fields is what."""
