-- Leave a job that was handed out to whoever comes next: its server has not died of it.
--
-- KEYS[1] server    hash: who works, under which epoch
-- KEYS[2] tries     hash: job id -> the epochs under which it was handed out
-- ARGV[1] epoch     of the asking server; it need not be the newest one
-- ARGV[2] id        of the job
--
-- Returns 1.
may_grow(KEYS[1])
local before = redis.call('HGET', KEYS[2], ARGV[2])
if before then
  local start, stop = string.find(before, '/' .. ARGV[1] .. '/', 1, true)
  if start then
    local left = string.sub(before, 1, start - 1) .. string.sub(before, stop + 1)
    if left == '' then
      redis.call('HDEL', KEYS[2], ARGV[2])
    else
      redis.call('HSET', KEYS[2], ARGV[2], left)
    end
  end
end
return 1
