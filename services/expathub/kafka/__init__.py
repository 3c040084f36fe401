"""The exactly-once engine and everything else that speaks to Kafka; it knows nothing of events."""
