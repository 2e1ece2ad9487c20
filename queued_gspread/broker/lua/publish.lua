-- Publish what only a server knows, for those who look at the queue: its card, what its lanes do,
-- and counts as differences to the last time. Everything is in one hash, so that it is written by
-- one command: all or nothing.
--
-- KEYS[1] server    hash: the working server and its epoch
-- KEYS[2] published hash: what servers publish; see published.py
-- KEYS[3] depth     how many jobs wait in the namespace
-- KEYS[4...] slots  sorted sets: the slots of each kind of request; see quota.lua
-- ARGV[1] epoch     of the asking server, or ''
-- ARGV[2] id        of the asking server
-- ARGV[3] number    of this publication: one that has come before adds nothing
-- ARGV[4] card      what the server says of itself, in JSON; '' at its end
-- ARGV[5] work      what its lanes do, in JSON; '' for nothing
-- ARGV[6] resources what it has to make calls with, in JSON; '' for nothing to be told
-- ARGV[7] step      counts for the history, by name, in JSON
-- ARGV[8] counts    how many counts follow; then, for each of them:
--         name
--         by        the difference
-- then, for each key of slots:
--         kind      of request
--         limit     slots of that kind; 0 for no limit
-- then, for each caller:
--         caller    in words
--         calls     the difference
--         failed    the same
--         requests  the same, in thousandths
--
-- Returns the card of the server that works, or '' if that is the asking one or has none.
may_grow(KEYS[1])
local HISTORY = {{10, 360}, {300, 576}}
-- Milliseconds after which a server that is gone, and one that ended in good order, is forgotten.
local GONE, ENDED = 3600000, 60000
local MOST_CALLERS, MOST_SERVERS = 200, 100
-- The share of the limit beyond which a kind counts as busy, and the longest time between two
-- publications that counts.
local BUSY, LONGEST = 0.8, 60000

local now, works = now_ms(), holds(KEYS[1], ARGV[1])
local card_of = 'server:' .. ARGV[2]
local number, at = string.match(redis.call('HGET', KEYS[2], card_of) or '', '^(%d+) (%d+) ')
at = tonumber(at) or now

local names, values = {}, {}
local function put(name, value)
  names[#names + 1] = name
  values[#values + 1] = value
end

local function plus(text, by)
  return string.format('%.0f', (tonumber(text) or 0) + by)
end

-- Everything that is added to, read at once.
local first_kind = 9 + 2 * ARGV[8]
local first_caller = first_kind + 2 * (#KEYS - 3)
local places = {}
for _, ring in ipairs(HISTORY) do
  places[#places + 1] = ring[1] .. ':' .. math.floor(now / 1000 / ring[1]) % ring[2]
end
local wanted = {unpack(places)}
for i = 9, first_kind - 1, 2 do
  wanted[#wanted + 1] = 'total:' .. ARGV[i]
end
for i = first_caller, #ARGV, 4 do
  wanted[#wanted + 1] = 'caller:' .. ARGV[i]
end
local found = redis.call('HMGET', KEYS[2], unpack(wanted))

-- A step of the history, with this publication added.
local step = cjson.decode(ARGV[7])
if works then
  local elapsed = now - at
  elapsed = elapsed > 0 and elapsed <= LONGEST and elapsed or 0
  step.seen = elapsed
  for i = 4, #KEYS do
    local kind, limit = unpack(ARGV, first_kind + 2 * (i - 4), first_kind + 2 * (i - 4) + 1)
    local held = redis.call('ZCOUNT', KEYS[i], now, '+inf')
    if tonumber(limit) > 0 and held >= BUSY * limit then
      step['busy.' .. kind] = elapsed
    end
  end
end
local waiting = tonumber(redis.call('GET', KEYS[3])) or 0

local function added(text, start)
  local is_json, kept = pcall(cjson.decode, text or '')
  if not (is_json and type(kept) == 'table' and kept.t == start) then
    kept = {t = start}
  end
  for name, by in pairs(step) do
    kept[name] = (tonumber(kept[name]) or 0) + by
  end
  kept.waiting = math.max(tonumber(kept.waiting) or 0, waiting)
  return cjson.encode(kept)
end

if number ~= ARGV[3] then
  put(card_of, ARGV[3] .. ' ' .. now .. ' ' .. ARGV[4])
  if works then
    put('work', now .. ' ' .. ARGV[1] .. ' ' .. ARGV[5])
    if ARGV[6] ~= '' then
      put('resources', now .. ' ' .. ARGV[1] .. ' ' .. ARGV[6])
    end
  end
  for i, ring in ipairs(HISTORY) do
    put(places[i], added(found[i], math.floor(now / 1000 / ring[1]) * ring[1]))
  end
  local at_found = #places
  for i = 9, first_kind - 1, 2 do
    at_found = at_found + 1
    put('total:' .. ARGV[i], plus(found[at_found], ARGV[i + 1]))
  end
  for i = first_caller, #ARGV, 4 do
    at_found = at_found + 1
    local calls, failed, requests =
      string.match(found[at_found] or '', '^%d+ (%d+) (%d+) (%d+)$')
    put('caller:' .. ARGV[i], table.concat({now, plus(calls, ARGV[i + 1]),
      plus(failed, ARGV[i + 2]), plus(requests, ARGV[i + 3])}, ' '))
  end
  local pairs_of = {}
  for i, name in ipairs(names) do
    pairs_of[#pairs_of + 1] = name
    pairs_of[#pairs_of + 1] = values[i]
  end
  redis.call('HSET', KEYS[2], unpack(pairs_of))
end

-- The oldest callers and servers go, beyond so many, and servers that are gone. Now and then, as
-- all has to be read for that; and by each server at its start, as none may live for long.
if ARGV[3] % 30 == 1 then
  local all, callers, servers, old = redis.call('HGETALL', KEYS[2]), {}, {}, {}
  for i = 1, #all, 2 do
    local number_of, seen, json = string.match(all[i + 1], '^(%d+) (%d+) (.*)$')
    if string.find(all[i], '^caller:') then
      callers[#callers + 1] = {tonumber(number_of) or 0, all[i]}
    elseif string.find(all[i], '^server:') then
      seen = tonumber(seen) or 0
      if seen > now or now - seen > (json == '' and ENDED or GONE) then
        old[#old + 1] = all[i]
      else
        servers[#servers + 1] = {seen, all[i]}
      end
    end
  end
  for _, each in ipairs({{callers, MOST_CALLERS}, {servers, MOST_SERVERS}}) do
    table.sort(each[1], function(a, b) return a[1] > b[1] end)
    for i = each[2] + 1, #each[1] do
      old[#old + 1] = each[1][i][2]
    end
  end
  for i = 1, #old, 1000 do
    redis.call('HDEL', KEYS[2], unpack(old, i, math.min(i + 999, #old)))
  end
end

local holder = redis.call('HGET', KEYS[1], 'holder')
if not holder or holder == ARGV[2] then
  return ''
end
return redis.call('HGET', KEYS[2], 'server:' .. holder) or ''
