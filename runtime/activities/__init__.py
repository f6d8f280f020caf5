"""Activities around records: logged in one line, completed with the next step in mind, mentioning people."""
