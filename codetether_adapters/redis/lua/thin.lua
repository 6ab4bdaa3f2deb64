-- Forget the oldest events of a topic that is about to be erased: from the log, its index, and those of the wider ones;
-- how many are left.
--
-- KEYS: the log's events, the topic's index. ARGV: the shard's prefix, the topic, the length of its scope, of its tenant,
-- how many at most.

-- As in a write: while the slot moves key by key this fails, before anything is gone.
redis.call('EXISTS', ARGV[1] .. 'whole')

local topic, scope, tenant = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local stretch = {}
for number, line in ipairs(redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', ARGV[5])) do
  stretch[number] = line[1]
end
if #stretch > 0 then
  redis.call('XDEL', KEYS[1], unpack(stretch))
  if scope < #topic then
    redis.call('XDEL', ARGV[1] .. 'x:' .. topic:sub(1, scope), unpack(stretch))
  end
  if tenant < scope then
    redis.call('XDEL', ARGV[1] .. 'x:' .. topic:sub(1, tenant), unpack(stretch))
  end
  redis.call('XTRIM', KEYS[2], 'MAXLEN', '=', redis.call('XLEN', KEYS[2]) - #stretch)
end
return redis.call('XLEN', KEYS[2])
