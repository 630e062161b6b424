"""What reads and changes AWS through boto3, for the command line; the pure parts decide what it means."""
