-- Entries of a topic between two positions, found by its index and read one by one, no more than asked for.
--
-- KEYS: the events, the topic's index. Returns after which line to go on (nothing: all was seen), the entries after the first `skip`, and how many it came by; with a `limit` of 0 only that.

local low, high, backwards = ARGV[1], ARGV[2], ARGV[3] == '1'
local limit, size, steps, text = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), ARGV[7]
local kinds = {}
local skip, all = tonumber(ARGV[8]), ARGV[9] == '1'
for number = 10, #ARGV do
  kinds[ARGV[number]] = true
end

local lines
if backwards then
  lines = redis.call('XREVRANGE', KEYS[2], high, low, 'COUNT', steps)
else
  lines = redis.call('XRANGE', KEYS[2], low, high, 'COUNT', steps)
end
local rows, total, count = {}, 0, 0
for number, line in ipairs(lines) do
  if all or kinds[line[2][2]] then
    count = count + 1
    if count > skip and limit > 0 then
      local entry = redis.call('XRANGE', KEYS[1], line[1], line[1])[1]
      local body = entry[2][10]
      if text == '' or body:lower():find(text, 1, true) then
        rows[#rows + 1] = entry
        total = total + #body
      end
      if (#rows >= limit or total > size) and number < #lines then
        return {line[1], rows, count}
      end
    end
  end
end
local more = #lines == steps and lines[#lines][1] or ''
return {more, rows, count}
