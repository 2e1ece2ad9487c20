-- Look at jobs of a lane, in order, for an operator. It changes nothing.
--
-- KEYS[1] lane      stream of the lane's jobs
-- KEYS[2] progress  hash: job id -> how far the call is
-- ARGV[1] after     the entry that they are behind, or ''
-- ARGV[2] count     how many at most
-- ARGV[3] most      bytes that are returned of each at most
-- ARGV[4] id        of the only one to return; '' for all
--
-- Returns {the entry to go on behind, or '' at the end; now; then of each {entry, id, mark, bytes,
-- the beginning of its body}}. Stops early where jobs are large.
local after, left, looked, found = ARGV[1], 1000000, 0, {'', now_ms()}
while looked < tonumber(ARGV[2]) and left > 0 do
  -- Redis returns an entry only with its body, so look at one at a time.
  local from = after == '' and '-' or '(' .. after
  local item = redis.call('XRANGE', KEYS[1], from, '+', 'COUNT', 1)[1]
  if not item then
    return found
  end
  local id, body = job_of(item)
  after, looked, left = item[1], looked + 1, left - #body
  if ARGV[4] == '' or ARGV[4] == id then
    local mark = redis.call('HGET', KEYS[2], id) or ''
    found[#found + 1] = {item[1], id, mark, #body, string.sub(body, 1, ARGV[3])}
  end
end
found[1] = after
return found
