-- Put up a signpost where a task's id is looked for, to the shard where the task is kept; false if the id is taken.
--
-- KEYS: the signpost, the task if it were kept here. ARGV: the shard.

if redis.call('EXISTS', KEYS[2]) == 1 then
  return 0
end
local there = redis.call('GET', KEYS[1])
if there and there ~= ARGV[1] then
  return 0
end
-- Written again where it was there: who waits until this is kept thereby waits for the first.
redis.call('SET', KEYS[1], ARGV[1])
return 1
