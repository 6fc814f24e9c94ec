"""The cancellation robot: reads requests in a mailbox, decides by written rules, credits and answers.

It never does a thing twice, never deletes, and can show an auditor every step.
"""
