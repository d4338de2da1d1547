"""What people see: pure functions from the domain's values to Block Kit. No I/O, no clock, no Slack client."""
