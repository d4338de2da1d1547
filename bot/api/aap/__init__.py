"""The Agent Approval Protocol (version 1) at ``/aap``: its clients are gated by the same requests as all others.

A client is given the address ``https://GATEWAY/aap`` and an agent's key. Every request made here is one of the
gateway's own, visible at ``/v1/requests`` as well; nothing is decided in this room.
"""
