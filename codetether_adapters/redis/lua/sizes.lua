-- How many members each of these indexes has.

local sizes = {}
for number, index in ipairs(KEYS) do
  sizes[number] = redis.call('ZCARD', index)
end
return sizes
