"""The unit under a real systemd: process 1 of namespaces of its own."""
