-- Look for other queue formats in this namespace, and register this one. Also release the slots of
-- a dead server of another format, since no server of that format may ever come to do so.
--
-- KEYS[1] server    hash: the working server and its epoch
-- KEYS[2] formats   hash: which formats have had a server
-- KEYS[3...] slots  sorted sets: each account's slots of each kind of request
-- ARGV[1] number    of the asking server's format
-- ARGV[2] grace     milliseconds without a beat after which a server counts as gone
-- ARGV[3] epoch     of the asking server
-- ARGV[4] window    milliseconds for which a slot without an answer is held
--
-- Returns for each other format {number, 1 if a server of it is alive, else 0, the server's
-- description, how many jobs wait for it, one of these if it is small}.
may_grow(KEYS[1])
local MOST = 16384
local known = known_formats(KEYS[2])
if not string.find(' ' .. known .. ' ', ' ' .. ARGV[1] .. ' ', 1, true) then
  -- pcall: a value of a wrong type in this key must not stop a server.
  redis.pcall('HSET', KEYS[2], 'known', known .. ' ' .. ARGV[1])
end

local function first_job(prefix)
  local lane = redis.pcall('SRANDMEMBER', prefix .. 'active')
  local page = type(lane) == 'string'
    and redis.pcall('XRANGE', prefix .. 'lane:' .. lane, '-', '+', 'COUNT', 1)
  local _, body = job_of(page and page[1] or {'', {}})
  return #body <= MOST and body or ''
end

if holds(KEYS[1], ARGV[3]) then
  let_go(3, KEYS[2], ARGV[3], ARGV[4], tonumber(ARGV[2]))
end
local found, now = {}, now_ms()
for _, other in ipairs(other_formats(KEYS[2], KEYS[1])) do
  local about = server_within(other.prefix, tonumber(ARGV[2]), now)
  local waiting = tonumber(redis.pcall('GET', other.prefix .. 'depth')) or 0
  local body = waiting > 0 and first_job(other.prefix) or ''
  found[#found + 1] = {other.number, about and 1 or 0, about or '', waiting, body}
end
return found
