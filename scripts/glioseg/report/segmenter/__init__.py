"""The page of the report that segments scans in the browser."""
