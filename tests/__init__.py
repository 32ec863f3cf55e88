"""The patient's language: conversations over real HTTP and a real database."""
