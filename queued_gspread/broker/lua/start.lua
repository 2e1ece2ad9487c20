-- Ask whether a request may be sent now. If so, take a slot of the quota for it, mark how far its
-- call will be, and write into its journal what the next server has to know: all or nothing.
--
-- KEYS[1] server    hash: who works, under which epoch
-- KEYS[2] lane      stream of the lane's jobs
-- KEYS[3] started   hash: job id -> how far the call is
-- KEYS[4] valve     hash: see quota.lua
-- KEYS[5] slots     sorted set: the slots of this kind of request
-- KEYS[6] journal   list: what the next server has to know of the call
-- ARGV[1] epoch     of the asking server
-- ARGV[2] entry     of the job in the stream; its time is the enqueue's
-- ARGV[3] id        of the job
-- ARGV[4] mark      'r' it only reads so far, 'w' it may have written what may be written twice,
--                   'j' its journal tells
-- ARGV[5] timeout   milliseconds after the enqueue at which the call is too late, or ''
-- ARGV[6] kind      of the request, as to the quota; '' for one that takes no slot
-- ARGV[7] slot      a name for the slot
-- ARGV[8] limit     slots of this kind; 0 for any number
-- ARGV[9] window    milliseconds
-- ARGV[10] interval milliseconds between two requests of whatever kind
-- ARGV[11] position how many entries the journal has
-- ARGV[12] attempt  a name for the attempt at a request that is announced in the journal, or ''
-- ARGV[13] request  what tells of it
-- ARGV[14...] ...   entries for the journal, before that
--
-- Returns {'go', now, 1 if the latest request of this kind was refused, else 0},
-- {'wait', milliseconds or -1 (until a response comes), 'kind' or 'all'}, {'withdrawn'},
-- {'late'} or 'stale'.
may_grow(KEYS[1])
if not holds(KEYS[1], ARGV[1]) then
  return 'stale'
end
-- What is not sent has no slot: it has one if it was let go, and the answer never came.
local function ended(word)
  -- One that was answered is held for its window, whoever asks again.
  if ARGV[6] ~= '' and redis.call('ZSCORE', KEYS[5], ARGV[7]) == 'inf' then
    redis.call('ZREM', KEYS[5], ARGV[7])
  end
  return {word}
end
if #redis.call('XRANGE', KEYS[2], ARGV[2], ARGV[2]) == 0 then
  return ended('withdrawn')
end
local now = now_ms()
local mark = redis.call('HGET', KEYS[3], ARGV[3]) or ''
if mark == 'rx' then
  return ended('withdrawn')
end
local enqueued = tonumber(string.match(ARGV[2], '^%d+'))
if ARGV[5] ~= '' and now > enqueued + ARGV[5] and not may_have_written(mark) then
  return ended('late')
end

local kind, full, window = ARGV[6], tonumber(ARGV[8]), tonumber(ARGV[9])
-- Asked twice, because a connection broke, it is one slot.
if kind ~= '' and not redis.call('ZSCORE', KEYS[5], ARGV[7]) then
  local wait, what = wait_ms(KEYS[4], KEYS[5], kind, full, window, tonumber(ARGV[10]), now)
  if wait ~= 0 then
    return {'wait', wait, what}
  end
  if full > 0 then
    redis.call('ZADD', KEYS[5], 'inf', ARGV[7])
  end
  if tonumber(ARGV[10]) > 0 then
    redis.call('HSET', KEYS[4], 'next', now + ARGV[10])
  end
end
-- Only settle.lua takes a mark back, and a caller that has given up (x) stays known as such.
local ranks = {r = 1, w = 2, j = 3}
local far = string.sub(mark, 1, 1)
if (ranks[far] or 0) < ranks[ARGV[4]] then
  far = ARGV[4]
end
redis.call('HSET', KEYS[3], ARGV[3], far .. string.sub(mark, 2, 2))
-- What Redis has lost, in a failover, nobody knows; what is written now has to stand in its place.
for _ = redis.call('LLEN', KEYS[6]) + 1, tonumber(ARGV[11]) do
  redis.call('RPUSH', KEYS[6], '?')
end
-- Asked twice, it is written once.
if redis.call('LLEN', KEYS[6]) == tonumber(ARGV[11]) then
  for i = 14, #ARGV do
    redis.call('RPUSH', KEYS[6], ARGV[i])
  end
  if ARGV[12] ~= '' then
    redis.call('RPUSH', KEYS[6], '>' .. ARGV[12] .. ' ' .. now .. ' ' .. ARGV[13])
  end
end
return {'go', now, redis.call('HEXISTS', KEYS[4], 'streak:' .. kind)}
