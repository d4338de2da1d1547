"""What `signoff demo` brings along: a small company whose tools really do something on this machine."""
