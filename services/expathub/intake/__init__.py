"""The first relay stage: what partners put into their outboxes becomes the journal, or a refusal and a receipt."""
