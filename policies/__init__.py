"""Every decision of Signoff, as pure functions over frozen values. No I/O, no clock, no logging."""
