-- Note that a job is handed out that came with the name of its lane; see enqueue.lua.
--
-- KEYS[1] server    hash: who works, under which epoch
-- KEYS[2] lane      stream of the lane's jobs
-- KEYS[3] tries     hash: job id -> the epochs under which it was handed out
-- ARGV[1] epoch     of the asking server
-- ARGV[2] entry     of the job
-- ARGV[3] id        of the job
--
-- Returns how many other epochs had it, or 'stale'.
may_grow(KEYS[1])
if not holds(KEYS[1], ARGV[1]) then
  return 'stale'
end
-- Nothing is kept of one that is not there any more.
if #redis.call('XRANGE', KEYS[2], ARGV[2], ARGV[2]) == 0 then
  return 0
end
return hand_out(KEYS[3], ARGV[3], ARGV[1])
