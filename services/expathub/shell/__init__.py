"""What every service of the hub is made of: start and stop, health, metrics, its address, its exit code."""
