-- Begin a new epoch, unless somebody did already.
--
-- KEYS: what is known of the store. ARGV: the epoch that is over, the new one, the bell, its message.

if redis.call('HGET', KEYS[1], 'epoch') == ARGV[1] then
  redis.call('HSET', KEYS[1], 'epoch', ARGV[2])
  redis.call('HINCRBY', KEYS[1], 'losses', 1)
  redis.call('SPUBLISH', ARGV[3], ARGV[4])
end
return 0
