"""All conversation with the world: Slack, the HTTP API, the agent runner, the ticker, the command line."""
