-- Look at the first calls of some lanes: of those that are named, and of others, drawn at random.
-- A lock that is held is no call: then it is the next one.
--
-- KEYS[1] server   hash: the working server and its epoch
-- KEYS[2] active   set: names of the lanes that a server knows, or will learn of from ready
-- KEYS[3] progress hash: how far the call of each job is, by job id
-- KEYS[4] lanes    prefix of the streams of lanes
-- ARGV[1] epoch    of the asking server
-- ARGV[2] drawn    how many lanes are drawn
-- ARGV[3...]       the lanes that are looked at before
--
-- Returns the name of each lane that holds a call, followed by the milliseconds since its first one
-- was put in; nothing for a server that does not work any more.
if not holds(KEYS[1], ARGV[1]) then
  return {}
end
-- Jobs come along with their entries: no more are looked at after so many bytes.
local MOST_BYTES = 1000000

local names, seen, found, now, size = {unpack(ARGV, 3)}, {}, {}, now_ms(), 0
for _, name in ipairs(try('SRANDMEMBER', KEYS[2], ARGV[2])) do
  names[#names + 1] = name
end
for _, name in ipairs(names) do
  local from = seen[name] and '+' or '-'
  while from ~= '+' and size < MOST_BYTES do
    local item = try('XRANGE', KEYS[4] .. name, from, '+', 'COUNT', 1)[1]
    from = '+'
    if item then
      local id, body = job_of(item)
      size = size + #body
      if id ~= '' and redis.call('HGET', KEYS[3], id) == 'l' then
        from = '(' .. item[1]
      else
        found[#found + 1] = name
        found[#found + 1] = math.max(0, now - string.match(item[1], '^%d+'))
      end
    end
  end
  seen[name] = true
end
return found
