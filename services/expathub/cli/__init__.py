"""The command `expathub`: one module per command, each imported only when it runs."""
