"""Tasks for agents elsewhere: claimed here under a lease like any other, and done there.

``relay`` knows which agents there are in which tenant, and has a ``desk`` for each tenant that takes what is offered.
``run`` is one task's, from the claim to the last word; ``held`` what is said of it meanwhile. Every server does this:
what one gave to an agent another goes on with.
"""

from codetether_apps.relaying.opening import relaying

__all__ = ["relaying"]
