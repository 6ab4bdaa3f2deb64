"""Figures about speed: CPU per operation from the operating system's own accounting, each beside a ceiling or a peer
measured in the same run, medians of several runs. Nothing here passes or fails; the numbers are for people.

    make bench                      measure everything, print the table, write .bench/<time>.json
    make bench ARGS='life start'    only some figures
    make bench STORE=postgresql     lives on one and two replicas, and what a claim costs however many tasks wait or,
                                    on PostgreSQL, were claimed while a reader holds on to the past
    make bench-compare ARGS='A B'   two result files side by side
"""
