-- Look at the jobs behind a given one in its lane without removing them.
--
-- Stops before a job that was started before or that a server died of: those are made alone.
--
-- KEYS[1] server    hash: the working server and its epoch
-- KEYS[2] lane      stream of the lane's jobs
-- KEYS[3] progress  hash: job id -> how far the call is
-- KEYS[4] deliveries hash: job id -> the epochs under which it was delivered
-- ARGV[1] epoch     of the asking server
-- ARGV[2] entry     of the job that they are behind
-- ARGV[3] count     how many at most
-- ARGV[4] size      bytes of all of them at most
--
-- Returns a list of what head.lua returns for one, or 'stale'.
may_grow(KEYS[1])
if not holds(KEYS[1], ARGV[1]) then
  return 'stale'
end
local found, left, waiting = {}, tonumber(ARGV[4]), redis.call('XLEN', KEYS[2])
local after, now = ARGV[2], now_ms()
while #found < tonumber(ARGV[3]) do
  -- One at a time: most of a page of large jobs would be read for nothing.
  local item = redis.call('XRANGE', KEYS[2], '(' .. after, '+', 'COUNT', 1)[1]
  if not item then
    break
  end
  local id, body = job_of(item)
  local mark = redis.call('HGET', KEYS[3], id) or ''
  left = left - #body
  if id == '' or mark ~= '' or left < 0 or hand_out(KEYS[4], id, ARGV[1], 1) > 0 then
    break
  end
  after = item[1]
  found[#found + 1] = {item[1], id, body, mark, waiting, now, 0}
end
return found
