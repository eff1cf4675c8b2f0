"""The words both halves of the program speak: plots, seasons, observations, estimates, decisions, money."""
