-- Take over records of another store's chain, with their numbers; those that are here already are passed over.
--
-- KEYS: the records, the chains' last numbers, their starts.
-- ARGV: the shard's prefix, the chain, its start, its last number, then each number and its body.

redis.call('EXISTS', ARGV[1] .. 'whole')
local last = tonumber(redis.call('HGET', KEYS[2], ARGV[2]) or '0')
for place = 5, #ARGV, 2 do
  if tonumber(ARGV[place]) > last then
    redis.call('XADD', KEYS[1], ARGV[place] .. '-0', 'b', ARGV[place + 1])
  end
end
redis.call('HSET', KEYS[2], ARGV[2], ARGV[4])
redis.call('HSETNX', KEYS[3], ARGV[2], ARGV[3])
return 0
