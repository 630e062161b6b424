"""Drift of the code signing baseline: found, explained and reverted, for one StackSet at a time.

``planning`` decides and touches nothing; ``stack_sets``, ``member_stacks``, ``functions``, ``trail`` and ``storage``
ask AWS; ``start``, ``detect``, ``list_instances``, ``inspect_batch``, ``gather``, ``repair`` and ``report`` are the
tasks of the state machine. Every task reads again what is there and then decides, so that each may be repeated.
"""
