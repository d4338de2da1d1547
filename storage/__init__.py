"""Durable truth: rows, transactions, the outbox and the hash-chained journal. Knows SQL; nothing of Slack or HTTP."""
