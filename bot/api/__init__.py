"""The HTTP API for agents: they ask, wait, claim, report and withdraw. No route decides anything."""
