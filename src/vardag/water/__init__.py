"""Leak prediction: from a pipe register and a break log to a ranked map and an honest proof."""
