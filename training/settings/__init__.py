"""Every setting that can be typed, one file for each command or group, without the libraries that the work needs."""
