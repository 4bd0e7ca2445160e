"""The command line of all rooms: the command ``tillside``, the processes it starts, shipped files by their names."""
