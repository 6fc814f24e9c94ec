"""What sets the project up; no part of the product."""
