"""What the hub costs, against the fastest loop that one can write by hand, and how that grows: `make bench`."""
