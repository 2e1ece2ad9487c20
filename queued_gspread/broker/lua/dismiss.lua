-- Forget a call that failed, once an operator has seen to it; and the job, if servers died of it.
--
-- KEYS[1] server    hash: the working server and its epoch
-- KEYS[2] actions   stream: what operators have asked for
-- KEYS[3] poisoned  stream of jobs that servers died of
-- KEYS[4] failed    sorted set: calls that nobody waited for and that failed, by time
-- KEYS[5] outcomes  sorted set: others whose callers may not know what was done
-- KEYS[6] errors    sorted set: others that failed
-- ARGV[1] id        of the job, if servers died of it, or ''
-- ARGV[2] by        who asks
-- ARGV[3] what      in words
-- ARGV[4] why
-- ARGV[5] failure   as it is kept
--
-- Returns 1.
may_grow(KEYS[1])
local gone, after = {}, ARGV[1] ~= '' and '-'
while after do
  -- One at a time: they may be large.
  local item = redis.call('XRANGE', KEYS[3], after, '+', 'COUNT', 1)[1]
  if item and job_of(item) == ARGV[1] then
    gone[#gone + 1] = item[1]
  end
  after = item and '(' .. item[1]
end
-- Checks that Redis permits what comes after the log: what cannot be logged is not done.
for i = 4, 6 do
  redis.call('ZREM', KEYS[i], '')
end
redis.call('XDEL', KEYS[3], '0-0')
note_action(KEYS[1], KEYS[2], ARGV[2], ARGV[3], ARGV[4])
for i = 4, 6 do
  redis.call('ZREM', KEYS[i], ARGV[5])
end
for _, entry in ipairs(gone) do
  redis.call('XDEL', KEYS[3], entry)
end
return 1
