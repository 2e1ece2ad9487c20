-- Answer a job, take it off its lane, and look at the next one.
--
-- KEYS[1] server    hash: who works, under which epoch
-- KEYS[2] lane      stream of the lane's jobs
-- KEYS[3] active    set: names of the lanes that a server knows or will be told of
-- KEYS[4] started   hash: job id -> how far the call is
-- KEYS[5] tries     hash: job id -> the epochs under which it was handed out
-- KEYS[6] reply     stream with the job's reply
-- KEYS[7] journal   list: what the next server would have to know of the call
-- KEYS[8] waiting   how many jobs wait in the namespace
-- ARGV[1] epoch     of the answering server
-- ARGV[2] name      of the lane
-- ARGV[3] entry     of the job in the stream
-- ARGV[4] id        of the job
-- ARGV[5] body      of the reply, or '' to leave nobody an answer
-- ARGV[6] expiry    seconds after which a reply that nobody fetched is dropped
--
-- Returns what head.lua returns.
may_grow(KEYS[1])
if not holds(KEYS[1], ARGV[1]) then
  return 'stale'
end
local mark = redis.call('HGET', KEYS[4], ARGV[4]) or ''
redis.call('HDEL', KEYS[4], ARGV[4])
redis.call('HDEL', KEYS[5], ARGV[4])
redis.call('DEL', KEYS[7])
local found = redis.call('XDEL', KEYS[2], ARGV[3]) == 1
if found then
  count(KEYS[8], -1)
end
if found and string.sub(mark, 2, 2) ~= 'x' and ARGV[5] ~= '' then
  redis.call('XADD', KEYS[6], '*', 'body', ARGV[5])
  redis.call('EXPIRE', KEYS[6], ARGV[6])
end
return head(KEYS[2], KEYS[3], KEYS[4], KEYS[5], ARGV[2], ARGV[1])
