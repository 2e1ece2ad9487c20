-- Leave jobs that were handed out to whoever comes next: their server has not died of them.
--
-- KEYS[1] server    hash: who works, under which epoch
-- KEYS[2] tries     hash: job id -> the epochs under which it was handed out
-- ARGV[1] epoch     of the asking server; it need not be the newest one
-- ARGV[2...] ids    of the jobs
--
-- Returns 1.
may_grow(KEYS[1])
local function leave(id)
  local before = redis.call('HGET', KEYS[2], id)
  local start, stop = string.find(before or '', '/' .. ARGV[1] .. '/', 1, true)
  if not start then
    return
  end
  local left = string.sub(before, 1, start - 1) .. string.sub(before, stop + 1)
  if left == '' then
    redis.call('HDEL', KEYS[2], id)
  else
    redis.call('HSET', KEYS[2], id, left)
  end
end

for i = 2, #ARGV do
  leave(ARGV[i])
end
return 1
