"""What each command of ``signoff`` does; loaded only when it is called, so that ``--help`` answers at once."""
