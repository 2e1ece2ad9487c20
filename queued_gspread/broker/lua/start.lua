-- Mark how far a call is, before its first request and before its first write.
--
-- KEYS[1] server    hash: who works, under which epoch
-- KEYS[2] lane      stream of the lane's jobs
-- KEYS[3] started   hash: job id -> how far the call is
-- ARGV[1] epoch     of the asking server
-- ARGV[2] entry     of the job in the stream; its time is the enqueue's
-- ARGV[3] id        of the job
-- ARGV[4] mark      'r' it only reads so far, 'w' it may have written
-- ARGV[5] timeout   milliseconds after the enqueue at which the call is too late, or ''
--
-- Returns 'go', 'withdrawn', 'late' or 'stale'.
may_grow(KEYS[1])
if not holds(KEYS[1], ARGV[1]) then
  return 'stale'
end
if #redis.call('XRANGE', KEYS[2], ARGV[2], ARGV[2]) == 0 then
  return 'withdrawn'
end
local mark = redis.call('HGET', KEYS[3], ARGV[3]) or ''
local enqueued = tonumber(string.match(ARGV[2], '^%d+'))
if ARGV[5] ~= '' and now_ms() > enqueued + ARGV[5] and string.sub(mark, 1, 1) ~= 'w' then
  return 'late'
end
-- A caller that has given up (x) stays known as such.
redis.call('HSET', KEYS[3], ARGV[3], ARGV[4] .. string.sub(mark, 2, 2))
return 'go'
