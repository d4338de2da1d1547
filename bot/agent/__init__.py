"""The agent runner: a task in, model turns and gated tool calls, a transcript that survives a restart."""
