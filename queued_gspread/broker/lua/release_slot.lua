-- Record that a request was answered or failed: its slot is held for one more window. After a quota
-- refusal, this kind of request pauses and its limit shrinks, at most once a window. If the journal
-- has the request's intent, the outcome replaces it.
--
-- Not only the working server may release a slot: the server of an earlier epoch may still have had
-- a request in flight. It may also withdraw an intent that it did not send, as long as the intent
-- is the journal's last entry: then no server has continued the call. Only the working server may
-- write a request's outcome.
--
-- KEYS[1] server    hash: the working server and its epoch
-- KEYS[2] progress  hash: job id -> how far the call is
-- KEYS[3] throttle  hash: see quota.lua; that of the request's account
-- KEYS[4] slots     sorted set: the account's slots of this kind of request
-- KEYS[5...] journal  list of each job that took part: what the next server must know
-- ARGV[1] epoch     of the server that sent it
-- ARGV[2] kind      the request's kind of quota
-- ARGV[3] slot      its name
-- ARGV[4] limit     slots of this kind; 0 for no limit
-- ARGV[5] window    milliseconds
-- ARGV[6] sent      the time that acquire.lua returned
-- ARGV[7] pause     '' if the quota let it through, '?' if that is not known; else it was refused:
--                   milliseconds to wait at least. The pause doubles with every refusal in a row
-- ARGV[8] jitter    0 to 1
-- ARGV[9] attempt   the attempt that the intent names, or ''
-- ARGV[10] supposed the limit to assume after a refusal, if the limit is 0
-- then, for each job:
--         id        if its call is back at its earlier progress, else ''
--         mark      the earlier progress: 'r', 'w' or 'j'
--         entry     that replaces the intent in the journal, or '' if the request was certainly not
--                   applied
--
-- Returns {the current limit, milliseconds of the pause}.
may_grow(KEYS[1])
local now = now_ms()
local kind, slot, full, window = ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local sent, least, jitter, attempt = tonumber(ARGV[6]), ARGV[7], ARGV[8], ARGV[9]
local supposed = tonumber(ARGV[10])
local has_jobs = #KEYS > 4
local works = has_jobs and holds(KEYS[1], ARGV[1])

local function has_intent(journal)
  local intent = '>' .. attempt .. ' '
  local last = redis.call('LINDEX', journal, -1) or ''
  return attempt ~= '' and string.sub(last, 1, #intent) == intent
end

-- A late duplicate of this script must not act on a request that was sent since.
local is_held = has_jobs and (full == 0 or redis.call('ZSCORE', KEYS[4], slot) == 'inf')

local function take_mark_back(id, before)
  local mark = redis.call('HGET', KEYS[2], id)
  if mark then
    redis.call('HSET', KEYS[2], id, before .. string.sub(mark, 2, 2))
  end
end

local function settle(journal, id, before, entry)
  local stands = has_intent(journal)
  local taken_back = stands and entry == ''
  local is_first = stands or (attempt == '' and is_held)
  -- While the intent is there, this script may be retried as a whole.
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

-- Requests that were in flight together are refused for one reason, so they count once.
local is_later = not q.refused or sent > q.refused
if is_later then
  q.streak = (q.streak or 0) + 1
end
local limit = is_later and shrink(q, supposed) or limit_now(q)
if is_later then
  -- Last, since the time of the latest refusal shows that this one was counted.
  redis.call('HSET', KEYS[3], 'streak:' .. kind, q.streak, 'refused:' .. kind, now)
end
local pause = math.min(window, window / 60 * 2 ^ ((q.streak or 1) - 1)) * (0.5 + jitter / 2)
-- Google's wait is only a minimum: with 0, every refused request would be retried at once.
pause = math.ceil(math.max(pause, least))
redis.call('HSET', KEYS[3], 'until:' .. kind, math.max(q.till, now + pause), 'paused:' .. kind, now)
return {limit, pause}
