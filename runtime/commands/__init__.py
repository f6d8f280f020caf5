"""What the commands of `octavo` do, without their options and output; a page or a job may call the same functions."""
