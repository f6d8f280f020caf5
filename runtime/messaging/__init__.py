"""What people are told: notifications in the program, messages that leave it."""
