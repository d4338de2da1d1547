"""Webhooks: signed, sent only to public addresses, tried again for days.

Another protocol's bodies join by a dialect of their own in ``policies.webhook.BODIES``; a message of another kind than
news (a challenge, say) is sent at once by ``Sender.send``, which can keep the beginning of the answer.
"""
