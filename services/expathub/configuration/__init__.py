"""Reading `schemas/` and `deploy/partners.yaml` into frozen values, and saying exactly what is wrong with them."""
