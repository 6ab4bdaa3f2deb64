-- Make the store, if there is none, and say what it is.
--
-- KEYS: what is known of the store. ARGV: schema, least reader, shards, epoch.

if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('HSET', KEYS[1], 'schema', ARGV[1], 'min_reader', ARGV[2], 'shards', ARGV[3], 'epoch', ARGV[4])
end
return redis.call('HMGET', KEYS[1], 'schema', 'min_reader', 'shards', 'epoch')
