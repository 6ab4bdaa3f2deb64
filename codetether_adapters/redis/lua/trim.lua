-- Forget up to `limit` of the oldest entries up to a place; how many went, and the start from now on.
--
-- KEYS: the log, its events. ARGV: the shard's prefix, the place, the limit.

-- As in a write: while the slot moves key by key this fails, before anything is gone.
redis.call('EXISTS', ARGV[1] .. 'whole')

local gone, last, topics = 0, nil, {}
for _, entry in ipairs(redis.call('XRANGE', KEYS[2], '-', ARGV[2] .. '-0', 'COUNT', ARGV[3])) do
  gone, last = gone + 1, entry[1]
  topics[entry[2][4]] = true
end
if not last then
  return {0, redis.call('HGET', KEYS[1], 'start') or '0'}
end

local position = last:match('^%d+')
local following = string.format('%.0f-0', tonumber(position) + 1)
redis.call('XTRIM', KEYS[2], 'MINID', '=', following)
redis.call('HSET', KEYS[1], 'start', position)

-- A topic is up to three texts, each framed by its length; the wider topics are what it begins with.
local places = {}
for topic in pairs(topics) do
  local reached = 0
  while reached < #topic do
    local colon = topic:find(':', reached + 1, true)
    reached = colon + tonumber(topic:sub(reached + 1, colon - 1))
    places[topic:sub(1, reached)] = true
  end
end
for topic in pairs(places) do
  local index = ARGV[1] .. 'x:' .. topic
  redis.call('XTRIM', index, 'MINID', '=', following)
  if redis.call('XLEN', index) == 0 then
    redis.call('DEL', index)
  end
end
return {gone, position}
