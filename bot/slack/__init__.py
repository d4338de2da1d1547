"""The Slack room: what people see (``views``), what they did (``payloads``), and every word spoken to Slack."""
