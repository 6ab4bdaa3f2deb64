-- Forget a chain's records up to a number; how many went.
--
-- KEYS: the records, the chains' last numbers, their starts. ARGV: the shard's prefix, the chain, the number.

redis.call('EXISTS', ARGV[1] .. 'whole')
local last = tonumber(redis.call('HGET', KEYS[2], ARGV[2]) or '0')
local start = tonumber(redis.call('HGET', KEYS[3], ARGV[2]) or '0')
local through = math.min(tonumber(ARGV[3]), last)
if through <= start then
  return 0
end
redis.call('HSET', KEYS[3], ARGV[2], string.format('%.0f', through))
return redis.call('XTRIM', KEYS[1], 'MINID', '=', string.format('%.0f-0', through + 1))
