"""A condition put together by clicks: a tree that is written as an expression, and read back from one."""
