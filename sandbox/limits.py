"""Slack's published numbers that this workspace enforces, outside Block Kit's own fields."""

POST_TEXT = 40_000
"""Characters of `text` that chat.postMessage keeps; the rest is cut off."""
UPDATE_TEXT = 4_000
"""Characters of `text` that chat.update takes before it answers `msg_too_long`."""
MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
BLOCKS_TEXT = 12_000
"""Characters over all blocks of a message. Slack publishes no number for `msg_blocks_too_long`; this is careful."""
MARKDOWN_TEXT = 12_000
ATTACHMENTS = 100
VIEW_BYTES = 250_000
METADATA_BYTES = 16_000
"""Bytes of message metadata; unpublished, so a careful guess."""
TICKETS = 20_000
"""Triggers (and response URLs) that the workspace remembers at a time, so that memory stays bounded."""
UPLOADED_BYTES = 256 * 1024 * 1024
UNREAD_EVENTS = 2_000
"""Live updates that wait for a page which does not read; beyond them its stream ends."""
VIEW_STACK = 3
CHANNEL_MESSAGES = 10_000
"""Messages that a channel of this workspace keeps; beyond them it forgets its oldest, so that memory stays bounded."""
GROUP_PEOPLE = 8
AGENT_TITLE = 200
AGENT_STATUS_SECONDS = 120.0
"""After so many seconds without a word an assistant's status disappears."""
ACK_SECONDS = 3.0
TRIGGER_SECONDS = 3.0
RESPONSE_URL_USES = 5
RESPONSE_URL_SECONDS = 30 * 60.0
SOCKETS = 10
SOCKET_SECONDS = 18_060
DEBUG_SOCKET_SECONDS = 360
EVENT_RETRIES = (0.0, 60.0, 300.0)
"""Seconds that pass before an event is delivered a second, third and fourth time."""
