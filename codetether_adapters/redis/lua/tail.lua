-- The head and the start of a shard's log, and its entries from a position on (included).
--
-- KEYS: the log, its events. ARGV: the position, how many at most.

local ends = redis.call('HMGET', KEYS[1], 'head', 'start')
return {ends[1] or '0', ends[2] or '0', redis.call('XRANGE', KEYS[2], ARGV[1] .. '-0', '+', 'COUNT', ARGV[2])}
