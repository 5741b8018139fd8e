"""What people look at: records and graphs as text."""
