-- Put a job at the end of its lane; sent twice, it is one job.
--
-- KEYS[1] lane      stream of the lane's jobs
-- KEYS[2] recent    sorted set: ids enqueued lately, by Redis's time
-- KEYS[3] active    set: names of the lanes that a server knows or will be told of
-- KEYS[4] ready     prefix of the lists of lanes that wait for a server, one for each epoch
-- KEYS[5] server    hash: who works, under which epoch
-- ARGV[1] id        of the job
-- ARGV[2] body      of the job
-- ARGV[3] name      of the lane
-- ARGV[4] memory    milliseconds for which an id is remembered
--
-- Returns the entry's id in the stream; 0-1, which no entry has, for a job that is known and is
-- not there any more.
local now = now_ms()
-- The first write: a Redis that is out of memory refuses it, and with it the whole script.
if redis.call('ZADD', KEYS[2], 'NX', now, ARGV[1]) == 0 then
  local entry = entry_of(KEYS[1], ARGV[1], redis.call('ZSCORE', KEYS[2], ARGV[1]))
  return entry ~= '' and entry or '0-1'
end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - ARGV[4])
local entry = redis.call('XADD', KEYS[1], '*', 'id', ARGV[1], 'body', ARGV[2])
if redis.call('SADD', KEYS[3], ARGV[3]) == 1 then
  local epoch = redis.call('HGET', KEYS[5], 'epoch') or ''
  redis.call('RPUSH', ready_list(KEYS[4], epoch), ARGV[3])
end
return entry
