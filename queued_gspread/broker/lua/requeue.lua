-- Leave everything delivered under an epoch to the next server, without counting a death: this
-- server shuts down cleanly. From here on, nothing more counts as delivered under its epoch.
--
-- KEYS[1] server    hash: the working server and its epoch
-- KEYS[2] deliveries hash: job id -> the epochs under which it was delivered
-- ARGV[1] epoch     of the asking server; it need not be the newest one
--
-- Returns 1.
may_grow(KEYS[1])
local own = '/' .. ARGV[1] .. '/'
local function leave(id, epochs)
  local start, stop = string.find(epochs, own, 1, true)
  if not start then
    return
  end
  local left = string.sub(epochs, 1, start - 1) .. string.sub(epochs, stop + 1)
  if left == '' then
    redis.call('HDEL', KEYS[2], id)
  else
    redis.call('HSET', KEYS[2], id, left)
  end
end

if holds(KEYS[1], ARGV[1]) then
  redis.call('HSET', KEYS[1], 'left', ARGV[1])
end
local cursor = '0'
repeat
  -- In pages: a server may have had many.
  local page = redis.call('HSCAN', KEYS[2], cursor, 'COUNT', 100)
  cursor = page[1]
  for i = 1, #page[2], 2 do
    leave(page[2][i], page[2][i + 1])
  end
until cursor == '0'
return 1
