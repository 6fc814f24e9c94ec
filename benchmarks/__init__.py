"""Speed and memory: whole commands against their budgets, engines against each other."""
