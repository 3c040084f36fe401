"""What partners and operators get to read, made of the configuration: schemas, the catalogue as a page, AsyncAPI."""
