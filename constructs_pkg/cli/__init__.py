"""The command line ``lambda-code-signing``: one module a command, loaded only when its command runs."""
