"""St Elsewhere's protocols for tracejury."""
