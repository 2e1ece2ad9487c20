-- Keep a job that servers died of, for inspection; the oldest ones are dropped.
--
-- KEYS[1] server    hash: the working server and its epoch
-- KEYS[2] poisoned  stream of such jobs
-- ARGV[1] epoch     of the asking server
-- ARGV[2] id        of the job
-- ARGV[3] lane      its lane's name
-- ARGV[4] body      the job
-- ARGV[5] most      how many are kept
-- ARGV[6] size      bytes of all that are kept; the newest one always is
--
-- Returns 1, or 'stale'.
may_grow(KEYS[1])
if not holds(KEYS[1], ARGV[1]) then
  return 'stale'
end
-- A retry must not keep it twice.
local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
local oldest = last and last[2][2] == ARGV[2] and last[1]
  or redis.call('XADD', KEYS[2], 'MAXLEN', ARGV[5], '*',
    'id', ARGV[2], 'lane', ARGV[3], 'body', ARGV[4])
local left = ARGV[6] - #ARGV[4]
while true do
  -- One at a time: the surplus ones would be read for nothing.
  local item = redis.call('XREVRANGE', KEYS[2], '(' .. oldest, '-', 'COUNT', 1)[1]
  if not item then
    return 1
  end
  local _, body = job_of(item)
  left = left - #body
  if left < 0 then
    redis.call('XTRIM', KEYS[2], 'MINID', oldest)
    return 1
  end
  oldest = item[1]
end
