"""Bad input, family by family, each with its answer. Every table has a name for each case, and its module says more.

==============  =====================================  ==============================================================
module          what somebody gives                    what they get
==============  =====================================  ==============================================================
test_smuggling  lengths, codings, hosts, lines and     one 4xx (501 for an unknown coding) and the connection's end,
                targets that two readers read as two   or the one reading that RFC 9112 leaves; what follows on the
                                                       connection is never a part of this
                headers that name another client       believed of nobody but ``CODETETHER_TRUSTED_PROXIES``
                upgrades to HTTP/2 and WebSockets      passed over: answered in HTTP/1.1
test_http2      what HTTP/2 forbids, tunnels           the stream's reset, 400, or the end of the connection
                pings, priorities, resets in masses    answers, nothing, 503 above so many requests of a connection
                a window that stays closed             the stream's reset after ``CODETETHER_STALL_TIMEOUT``
test_slow       a head that does not come to its end   the end of the connection after ``CODETETHER_IDLE_TIMEOUT``
                a body that does not come              408 after ``CODETETHER_UPLOAD_TIMEOUT`` without the next 64 KiB
                a body without end                     413 as soon as it is larger than ``CODETETHER_BODY_LIMIT``
                an answer that is not read             the end of the connection after ``CODETETHER_STALL_TIMEOUT``
                a body nobody wants, half a goodbye    the end of the connection, and nothing left of it
test_traversal  each path parameter of each route      a problem, 4xx; no change in the store, none on the disk
                names of files that runs leave         422, 404 or 400, or a file named by us; escaped for browsers
                what a server calls tasks and leases   a worker's directory that is below its own
test_urls       where an agent is reached              422 for what is no URL of http or of no host; never dialled
test_bombs      compressed bodies and files            415 with ``Accept-Encoding: identity``
                JSON, queries, headers, targets        400, 422, 431, or 200 at the cost of its bytes
                ranges of files                        the whole file
                backups: links, devices, holes,        one sentence and exit code 1, before anything is written
                  sizes, names, entries
                audit trails                           lines of 16 MiB at most, each told of as none
==============  =====================================  ==============================================================

Bodies that are no JSON, of the wrong kind or cut off are in ``tests/http``: ``test_bodies``, ``test_server_input``,
``resources/test_bad_input`` and, made from the description of the API, ``test_schemathesis``.

Files on a codebase's machine are the worker's: it serves the directories that its owner gave, or that are below its
roots (``tests/agents``). The operator's own settings name stores, providers and proxies, and are believed.
"""
