"""The second relay stage: each event of the journal is told to whom it concerns, as each may know it."""
