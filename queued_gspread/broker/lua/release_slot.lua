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
-- KEYS[2] progress  hash: job id -> how far the call is
-- KEYS[3] throttle  hash: see quota.lua
-- KEYS[4] slots     sorted set: the slots of this kind of request
-- KEYS[5...] journal  list, of each job with a share in it: what the next server has to know
-- ARGV[1] epoch     of the server that sent it
-- ARGV[2] kind      of the request, as to the quota
-- ARGV[3] slot      its name
-- ARGV[4] limit     slots of this kind; 0 for any number
-- ARGV[5] window    milliseconds
-- ARGV[6] sent      what acquire.lua returned as the time
-- ARGV[7] pause     '' if the quota let it through, '?' if nobody knows; else it was refused: the
--                   least milliseconds to wait. The pause doubles with every refusal in a row
-- ARGV[8] jitter    0 to 1
-- ARGV[9] attempt   the name under which the request was announced, or ''
-- ARGV[10] supposed what stands in the limit's place in a refusal, if that is 0
-- then, of each job:
--         id        if its call is where it was before, else ''
--         mark      how far the call was before: 'r', 'w' or 'j'
--         entry     for the journal in the place of the announcement, or '' if the request was
--                   certainly not applied
--
-- Returns {the limit that holds now, milliseconds of the pause}.
may_grow(KEYS[1])
local now = now_ms()
local kind, slot, full, window = ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local sent, least, jitter, attempt = tonumber(ARGV[6]), ARGV[7], ARGV[8], ARGV[9]
local supposed = tonumber(ARGV[10])
local has_jobs = #KEYS > 4
local works = has_jobs and holds(KEYS[1], ARGV[1])

local function is_announced(journal)
  local announced = '>' .. attempt .. ' '
  local last = redis.call('LINDEX', journal, -1) or ''
  return attempt ~= '' and string.sub(last, 1, #announced) == announced
end

-- A copy of this script that comes late must not speak for the request that was sent since.
local is_held = has_jobs and (full == 0 or redis.call('ZSCORE', KEYS[4], slot) == 'inf')

local function take_mark_back(id, before)
  local mark = redis.call('HGET', KEYS[2], id)
  if mark then
    redis.call('HSET', KEYS[2], id, before .. string.sub(mark, 2, 2))
  end
end

local function settle(journal, id, before, entry)
  local stands = is_announced(journal)
  local taken_back = stands and entry == ''
  local is_first = stands or (attempt == '' and is_held)
  -- As long as the announcement stands, all of it may come again.
  if id ~= '' and (taken_back or (is_first and works)) then
    take_mark_back(id, before)
  end
  if taken_back then
    redis.call('RPOP', journal)
  elseif stands and works then
    redis.call('LSET', journal, -1, entry)
  end
end

for i = 5, #KEYS do
  local at = 11 + (i - 5) * 3
  settle(KEYS[i], ARGV[at], ARGV[at + 1], ARGV[at + 2])
end
if kind == '' then
  return {0, 0}
end
local q = quota_of(KEYS[3], KEYS[4], kind, full, window, now)
hold_on(q, slot, holds(KEYS[1], ARGV[1]))
if least == '' or least == '?' then
  return {not_refused(q, sent, least == ''), 0}
end

-- Requests that were in the air together are refused for one reason: they count once.
local is_later = not q.refused or sent > q.refused
if is_later then
  q.streak = (q.streak or 0) + 1
end
local limit = is_later and shrink(q, supposed) or limit_now(q)
if is_later then
  -- At the end: by the time of the latest refusal it is known that this one was counted.
  redis.call('HSET', KEYS[3], 'streak:' .. kind, q.streak, 'refused:' .. kind, now)
end
local pause = math.min(window, window / 60 * 2 ^ ((q.streak or 1) - 1)) * (0.5 + jitter / 2)
-- What Google asks for is the least: 0 would have every refused request sent again at once.
pause = math.ceil(math.max(pause, least))
redis.call('HSET', KEYS[3], 'until:' .. kind, math.max(q.till, now + pause), 'paused:' .. kind, now)
return {limit, pause}
