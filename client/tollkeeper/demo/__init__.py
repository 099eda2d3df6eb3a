"""``toll demo``: a made-up fleet in a folder of its own, for whoever wants to see before there are agents.

``story`` says what happens when, ``past`` what happened before; ``lines`` and ``home`` write it down as Claude
Code would, ``fleet`` has a process for each agent, and ``stage`` plays it all in the folder that ``place`` lays out.
"""
