"""The commands of `octavo`: options and output only. What they do lies in `runtime.commands` and in its owners."""
