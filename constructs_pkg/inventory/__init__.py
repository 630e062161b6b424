"""What runs in the accounts of an organization, as values, and what follows from it: promotion and blast radius.

Nothing here asks AWS; ``constructs_pkg.aws.inventory`` reads.
"""
