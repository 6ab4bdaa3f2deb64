-- One logical write: check every document's version, write them all, file them in their indexes, append the events,
-- and ring the shard's bell. Either all of it happens or nothing. Without a sender the bell is not rung: whoever writes
-- to a strict store rings it once all of it is kept.
--
-- KEYS[1] is any key of the shard; every other key begins with the shard's prefix, ARGV[1].

local place = 0
local function take()
  place = place + 1
  return ARGV[place]
end
local function take_number()
  return tonumber(take())
end

local shard, sender, token, remember = take(), take(), take(), take()
local log = shard .. 'log'

-- Of a slot that moves key by key some keys are elsewhere, and a write that comes upon one ends half-way. A key that is
-- never there counts as one of those: this fails in place of it.
redis.call('EXISTS', shard .. 'whole')

local function head()
  return tonumber(redis.call('HGET', log, 'head') or '0')
end

-- What stands in a write's way may not be kept yet: who waits until this mark is kept waits for that as well.
local function unchanged(status, number)
  redis.call('SET', shard .. 'mark', '1')
  return {status, head(), number}
end

-- A write that leaves no document behind is remembered for a while, so that its repetition is known.
if remember == '1' and redis.call('EXISTS', shard .. 'done:' .. token) == 1 then
  return unchanged('done')
end

-- The guard: the task's fence still reads so, and what the log already has of the grant is left out, if nothing is held
-- back; or the head of the task's output is swapped.
local guarded, known = take(), 0
if guarded ~= '' then
  local fence, way = take(), take()
  local task = shard .. 't:' .. guarded
  local found = redis.call('HMGET', task, 'fence', 'grant', 'following', 'held')
  if not found[1] then
    return unchanged('missing')
  end
  if found[1] ~= fence then
    return unchanged('stale')
  end
  if way == 'swap' then
    local expected = {take(), take(), take()}
    if (found[2] or '') ~= expected[1] or (found[3] or '0') ~= expected[2] or (found[4] or '') ~= expected[3] then
      return unchanged('conflict')
    end
    redis.call('HSET', task, 'grant', take(), 'following', take(), 'held', take())
  else
    local grant, first, sent = take(), take(), take_number()
    if found[2] == grant and (found[4] or '') ~= '' then
      return unchanged('conflict')
    end
    if first ~= '' then
      first = tonumber(first)
      if found[2] == grant then
        known = math.max(tonumber(found[3]) - first, 0)
      end
      if known < sent then
        redis.call('HSET', task, 'grant', grant, 'following', string.format('%.0f', first + sent), 'held', '')
      end
    end
  end
end

-- The documents as they were sent: key, expected version ('' is none, '*' any), a key that must not be there, a topic
-- that must never have had an event, a field that only this document may have, fields (none: the document goes), and
-- places in indexes.
local documents = {}
for number = 1, take_number() do
  local document = {key = shard .. take(), expected = take(), unless = take(), unheard = take(), index = take(), claim = take()}
  document.version = take()
  document.fields = {}
  for _ = 1, take_number() * 2 do
    document.fields[#document.fields + 1] = take()
  end
  document.places = {}
  for _ = 1, take_number() do
    document.places[#document.places + 1] = {take(), take(), take(), take()}
  end
  documents[number] = document
end

for number, document in ipairs(documents) do
  local present = redis.call('HMGET', document.key, 'version', 'token', 'places', 'index', 'claim')
  if number == 1 and present[2] == token then
    return unchanged('done')
  end
  if document.expected == '' and (present[1] or redis.call('EXISTS', shard .. document.unless) == 1
      or redis.call('HEXISTS', shard .. 'numbers', document.unheard) == 1) then
    return unchanged('exists', number)
  end
  if document.expected ~= '*' and document.expected ~= (present[1] or '') then
    return unchanged('conflict', number)
  end
  if document.claim ~= '' then
    local holder = redis.call('HGET', shard .. document.index, document.claim)
    if holder and holder ~= document.key then
      return unchanged('exists', number)
    end
  end
  document.present = present
end

-- A place is an index and a member in it, and a wider index which has a member of its own while this one has any.
local function file(place)
  if redis.call('ZADD', shard .. place[1], 0, place[2]) == 1 and place[3] ~= '' then
    redis.call('ZADD', shard .. place[3], 0, place[4])
  end
end
local function unfile(place)
  redis.call('ZREM', shard .. place[1], place[2])
  if place[3] ~= '' and redis.call('EXISTS', shard .. place[1]) == 0 then
    redis.call('ZREM', shard .. place[3], place[4])
  end
end

for _, document in ipairs(documents) do
  local present, stays = document.present, {}
  for _, place in ipairs(document.places) do
    stays[place[1] .. '\0' .. place[2]] = true
  end
  local before = {}
  for _, place in ipairs(present[3] and cmsgpack.unpack(present[3]) or {}) do
    local name = place[1] .. '\0' .. place[2]
    before[name] = true
    if not stays[name] then
      unfile(place)
    end
  end
  for _, place in ipairs(document.places) do
    if not before[place[1] .. '\0' .. place[2]] then
      file(place)
    end
  end
  if present[5] and present[5] ~= document.claim then
    redis.call('HDEL', shard .. present[4], present[5])
  end
  if document.claim ~= '' then
    redis.call('HSET', shard .. document.index, document.claim, document.key)
  end
  if #document.fields == 0 then
    redis.call('DEL', document.key)
  else
    local fields = document.fields
    fields[#fields + 1] = 'version'
    fields[#fields + 1] = document.version
    fields[#fields + 1] = 'token'
    fields[#fields + 1] = token
    if #document.places > 0 or present[3] then
      fields[#fields + 1] = 'places'
      fields[#fields + 1] = cmsgpack.pack(document.places)
    end
    if document.claim ~= '' then
      fields[#fields + 1] = 'index'
      fields[#fields + 1] = document.index
      fields[#fields + 1] = 'claim'
      fields[#fields + 1] = document.claim
    end
    redis.call('HSET', document.key, unpack(fields))
  end
end

-- What goes with a document: all documents of an index, each named by what its member has after so many bytes.
for _ = 1, take_number() do
  local index, rank, kind = take(), take_number(), take()
  for _, member in ipairs(redis.call('ZRANGE', shard .. index, 0, -1)) do
    local key = shard .. kind .. member:sub(rank + 1)
    local places = redis.call('HGET', key, 'places')
    for _, place in ipairs(places and cmsgpack.unpack(places) or {}) do
      unfile(place)
    end
    redis.call('DEL', key)
  end
end

-- The topics whose events go: from the log, their own index, and those of the wider ones.
for _ = 1, take_number() do
  local topic, scope, tenant = take(), take_number(), take_number()
  local own, after, stretch = shard .. 'x:' .. topic, '-', {}
  repeat
    stretch = {}
    for number, line in ipairs(redis.call('XRANGE', own, after, '+', 'COUNT', 1000)) do
      stretch[number] = line[1]
    end
    if #stretch > 0 then
      after = '(' .. stretch[#stretch]
      redis.call('XDEL', shard .. 'events', unpack(stretch))
      if scope < #topic then
        redis.call('XDEL', shard .. 'x:' .. topic:sub(1, scope), unpack(stretch))
      end
      if tenant < scope then
        redis.call('XDEL', shard .. 'x:' .. topic:sub(1, tenant), unpack(stretch))
      end
    end
  until #stretch == 0
  redis.call('DEL', own)
end

-- The events, each with the next position and its subject's next number, and a line in the index of every topic.
local count = take_number()
local reply = {'ok', 0, known}
local position = head()
for number = 1, count do
  local topic, scope, tenant, kind, at, body = take(), take_number(), take_number(), take(), take(), take()
  if number > known then
    position = position + 1
    local id = string.format('%.0f-0', position)
    local subject = redis.call('HINCRBY', shard .. 'numbers', topic, 1)
    redis.call('XADD', shard .. 'events', id, 'n', subject, 't', topic, 'k', kind, 'a', at, 'b', body)
    redis.call('XADD', shard .. 'x:' .. topic, id, 'k', kind)
    if scope < #topic then
      redis.call('XADD', shard .. 'x:' .. topic:sub(1, scope), id, 'k', kind)
    end
    if tenant < scope then
      redis.call('XADD', shard .. 'x:' .. topic:sub(1, tenant), id, 'k', kind)
    end
    reply[#reply + 1] = subject
  end
end
if count > known then
  redis.call('HSET', log, 'head', string.format('%.0f', position))
end
reply[2] = position

-- The records of the audit trail, each with its chain's next number.
for _ = 1, take_number() do
  local chain, body = take(), take()
  local number = redis.call('HINCRBY', shard .. 'chains', chain, 1)
  redis.call('XADD', shard .. 'audit:' .. chain, string.format('%.0f-0', number), 'b', body)
end

local wake = take()
if sender ~= '' and (count > known or wake ~= '') then
  redis.call('SPUBLISH', shard .. 'bell', sender .. ' ' .. string.format('%.0f', position) .. ' ' .. wake)
end
if remember == '1' then
  redis.call('SET', shard .. 'done:' .. token, '1', 'EX', 120)
end
return reply
