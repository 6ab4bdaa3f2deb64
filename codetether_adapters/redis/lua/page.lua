-- A stretch of one or several indexes, merged in their common order, with fields of the documents they name.
--
-- KEYS are the indexes. A member is a rank of `rank` bytes, then what the document's key ends in. In the order in which
-- they are read, `bound` is where members end that count, and `from` one that is begun after. Returns how many members
-- the indexes have within these, and the rows.

local shard, documents, rank, backwards = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4] == '1'
local offset, limit, from, bound = tonumber(ARGV[5]), tonumber(ARGV[6]), ARGV[7], ARGV[8]

local lowest = from ~= '' and '(' .. from or '-'
local highest = bound ~= '' and '[' .. bound or '+'
if backwards then
  lowest = bound ~= '' and '[' .. bound or '-'
  highest = from ~= '' and '(' .. from or '+'
end
local bounded = from ~= '' or bound ~= ''

local members, total = {}, 0
local reach = #KEYS == 1 and limit or offset + limit
local skip = #KEYS == 1 and offset or 0
for _, index in ipairs(KEYS) do
  if bounded then
    total = total + redis.call('ZLEXCOUNT', index, lowest, highest)
  else
    total = total + redis.call('ZCARD', index)
  end
  local found = {}
  if limit > 0 and bounded and backwards then
    found = redis.call('ZREVRANGEBYLEX', index, highest, lowest, 'LIMIT', skip, reach)
  elseif limit > 0 and bounded then
    found = redis.call('ZRANGEBYLEX', index, lowest, highest, 'LIMIT', skip, reach)
  elseif limit > 0 and backwards then
    found = redis.call('ZREVRANGE', index, skip, skip + reach - 1)
  elseif limit > 0 then
    found = redis.call('ZRANGE', index, skip, skip + reach - 1)
  end
  for _, member in ipairs(found) do
    members[#members + 1] = member
  end
end
if #KEYS > 1 then
  table.sort(members, function(a, b)
    if backwards then
      return b < a
    end
    return a < b
  end)
end

local rows = {}
local first = #KEYS > 1 and offset or 0
for number = first + 1, math.min(first + limit, #members) do
  local row = {members[number]}
  if documents ~= '' then
    local fields = redis.call('HMGET', shard .. documents .. members[number]:sub(rank + 1), unpack(ARGV, 9))
    for _, field in ipairs(fields) do
      row[#row + 1] = field
    end
  end
  rows[#rows + 1] = row
end
return {total, rows}
