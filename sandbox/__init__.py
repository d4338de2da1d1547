"""A local Slack workspace and a scripted Messages API: the other side of the wire, for development, tests and demos."""
