-- Note that a request was answered, or failed: its slot is held for one more window. After a
-- refusal for the quota, this kind of request pauses, and its limit shrinks, once a window. Where the
-- journal announces the request, it tells from now on what came of it.
--
-- Not only the server that works may say so: that of an earlier epoch may still have had a
-- request in the air. It may take back what it announced and did not send, too, as long as the
-- announcement stands: then nobody has gone on with the call. What came of a request is for the
-- server that works to write.
--
-- KEYS[1] server    hash: who works, under which epoch
-- KEYS[2] started   hash: job id -> how far the call is
-- KEYS[3] valve     hash: see quota.lua
-- KEYS[4] slots     sorted set: the slots of this kind of request
-- KEYS[5] journal   list: what the next server has to know of the call
-- ARGV[1] epoch     of the server that sent it
-- ARGV[2] id        of the job if its call is where it was before, else ''
-- ARGV[3] kind      of the request, as to the quota
-- ARGV[4] slot      its name
-- ARGV[5] limit     slots of this kind; 0 for any number
-- ARGV[6] window    milliseconds
-- ARGV[7] sent      what start.lua returned as the time
-- ARGV[8] pause     '' if it was not refused; else the least milliseconds to wait: the pause
--                   doubles with every refusal in a row
-- ARGV[9] jitter    0 to 1
-- ARGV[10] mark     how far the call was before: 'r', 'w' or 'j'
-- ARGV[11] attempt  the name under which the request was announced, or ''
-- ARGV[12] entry    for the journal in its place, or '' if the request was certainly not applied
--
-- Returns {the limit that holds now, milliseconds of the pause}.
may_grow(KEYS[1])
local now = now_ms()
local kind, full, window = ARGV[3], tonumber(ARGV[5]), tonumber(ARGV[6])
-- A copy of this script that comes late must not speak for the request that was sent since.
local works = holds(KEYS[1], ARGV[1])
local announced = '>' .. ARGV[11] .. ' '
local stands = ARGV[11] ~= ''
  and string.sub(redis.call('LINDEX', KEYS[5], -1) or '', 1, #announced) == announced
local is_first = stands
if ARGV[11] == '' then
  is_first = full == 0 or redis.call('ZSCORE', KEYS[4], ARGV[4]) == 'inf'
end
local taken_back = stands and ARGV[12] == ''
if taken_back then
  redis.call('RPOP', KEYS[5])
elseif stands and works then
  redis.call('LSET', KEYS[5], -1, ARGV[12])
end
if ARGV[2] ~= '' and (taken_back or (is_first and works)) then
  local mark = redis.call('HGET', KEYS[2], ARGV[2])
  if mark then
    redis.call('HSET', KEYS[2], ARGV[2], ARGV[10] .. string.sub(mark, 2, 2))
  end
end
if kind == '' then
  return {0, 0}
end
if full > 0 then
  -- Whether or not it is still known.
  redis.call('ZADD', KEYS[4], now + window, ARGV[4])
end
local refused = redis.call('HGET', KEYS[3], 'refused:' .. kind)
local is_later = not refused or tonumber(ARGV[7]) > tonumber(refused)
if ARGV[8] == '' then
  if refused and is_later then
    redis.call('HDEL', KEYS[3], 'streak:' .. kind, 'refused:' .. kind, 'until:' .. kind)
  end
  return {limit_now(KEYS[3], kind, full, window, now), 0}
end

-- Requests that were in the air together are refused for one reason: they count once.
if is_later then
  redis.call('HINCRBY', KEYS[3], 'streak:' .. kind, 1)
  redis.call('HSET', KEYS[3], 'refused:' .. kind, now)
end
local streak = tonumber(redis.call('HGET', KEYS[3], 'streak:' .. kind)) or 1
local pause = math.min(window, window / 60 * 2 ^ (streak - 1)) * (0.5 + ARGV[9] / 2)
-- What Google asks for is the least: 0 would have every refused request sent again at once.
pause = math.ceil(math.max(pause, ARGV[8]))
local till = tonumber(redis.call('HGET', KEYS[3], 'until:' .. kind)) or 0
redis.call('HSET', KEYS[3], 'until:' .. kind, math.max(till, now + pause))

if full > 0 and is_later then
  return {shrink(KEYS[3], kind, full, window, now), pause}
end
return {limit_now(KEYS[3], kind, full, window, now), pause}
