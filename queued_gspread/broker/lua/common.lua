-- Shared by the scripts of this folder; scripts.py prepends what each of them uses.

-- Redis's clock, in milliseconds. The clocks of clients and servers do not matter.
local function now_ms()
  local now = redis.call('TIME')
  return now[1] * 1000 + math.floor(now[2] / 1000)
end

-- The entry of a job that was enqueued at a given time, or '' if its lane does not hold it.
local function entry_of(lane, id, enqueued)
  local from = enqueued
  while from do
    local page = redis.call('XRANGE', lane, from, '+', 'COUNT', 100)
    from = #page == 100 and page[100][1] or false
    for _, item in ipairs(page) do
      if item[2][2] == id then return item[1] end
    end
  end
  return ''
end

-- The set of recent jobs, by the times of their enqueues, also has this member, which is no id: its
-- score is the time since which the set is complete.
local SINCE = 'since:'

-- Whether a job that is not in the set may have been enqueued all the same, by a first try that
-- began no earlier than `first`: it is forgotten by now, or Redis's clock has been set since.
local function may_be_forgotten(dedup, first, now)
  local since = tonumber(redis.call('ZSCORE', dedup, SINCE))
  if not since or since > now then
    since = now
    redis.call('ZADD', dedup, now, SINCE)
  end
  return first < since or first > now
end

-- Forget the jobs that were enqueued before a given time.
local function forget(dedup, before)
  if before > tonumber(redis.call('ZSCORE', dedup, SINCE)) then
    redis.call('ZREMRANGEBYSCORE', dedup, '-inf', '(' .. before)
    redis.call('ZADD', dedup, before, SINCE)
  end
end

-- Whether the server of an epoch is still the working one: its epoch is the newest.
local function holds(server, epoch)
  return redis.call('HGET', server, 'epoch') == epoch
end

-- The list of lanes that wait for the server of an epoch. Each epoch has its own, since a paused
-- server may still have a blocking read on the list of an epoch that has ended.
local function ready_list(ready, epoch)
  return ready .. ':' .. epoch
end

-- The name of a lane in an item of such a list, with or without a job; as in jobs.py.
local function lane_of(item)
  local size, at = string.match(item, '^%z%d+%-%d+%z%w+%z(%d+)%z()')
  return size and string.sub(item, at, at + size - 1) or item
end

-- The largest job, in bytes, that is pushed along with its lane's name.
local MOST_WITH_NAME = 16384

-- An item with a job, the only one of its lane.
local function with_job(name, entry, id, body)
  return table.concat({'', entry, id, #name, name .. body}, '\0')
end

-- Change the count of jobs that wait in the namespace. A script that adds or removes one must call
-- this; without waiting jobs there is no key.
local function count(waiting, by)
  local many = redis.call('INCRBY', waiting, by)
  if many <= 0 then
    redis.call('DEL', waiting)
  end
  return many
end

-- A user's permissions may be revoked and granted at any time, even some of them, and Redis stops a
-- script at the first command that is not permitted, without undoing what ran before. So each
-- script first checks, by commands that change nothing, the permissions that it would miss too
-- late. Run again later, it has the same result as if it had never been refused.

local function may_delete(key)
  -- No lane's name and no id contains a slash, so there is no such key.
  redis.call('DEL', key .. '/')
end

local function may_note(dedup)
  redis.call('ZADD', dedup, 'XX', 0, '')
end

-- Remove an entry from a lane of that length; the lane's key is deleted with the last one.
local function take_out(lane, entry, length)
  if length == 1 then
    redis.call('DEL', lane)
  else
    redis.call('XDEL', lane, entry)
  end
end

local function may_take_out(lane, active)
  redis.call('XDEL', lane, '0-0')
  redis.call('SREM', active, '')
end

-- Run a command on a key that may be of a wrong type, which counts as empty.
local function try(...)
  local found = redis.pcall(...)
  local refusal = type(found) == 'table' and found.err
  if refusal and not string.find(refusal, 'WRONGTYPE', 1, true) then
    error(refusal, 0)
  end
  return refusal and {} or found
end

-- Let a script that drains the queue write a little in a Redis that is out of memory: Redis refuses
-- only a script's first write, and never one that deletes.
local function may_grow(key)
  redis.call('HDEL', key, '')
end

-- Whether a call with this mark may have written.
local function may_have_written(mark)
  local far = string.sub(mark, 1, 1)
  return far == 'w' or far == 'j'
end

-- Whether the server of an epoch requeued its jobs when it shut down cleanly; see requeue.lua.
local function has_left(server, epoch)
  return redis.call('HGET', server, 'left') == epoch
end

-- Record that a job is delivered under an epoch, unless `most` other epochs had it; return how many
-- others did.
local function hand_out(deliveries, id, epoch, most)
  local before = redis.call('HGET', deliveries, id) or ''
  local others = select(2, string.gsub(before, '%d+', ''))
  if string.find(before, '/' .. epoch .. '/', 1, true) then
    return others - 1
  end
  if others < most and not has_left(KEYS[1], epoch) then
    redis.call('HSET', deliveries, id, before .. '/' .. epoch .. '/')
  end
  return others
end

-- Id and body of an entry of a lane; '' for each that it lacks.
local function job_of(item)
  local id, body = '', ''
  for i = 1, #item[2], 2 do
    if item[2][i] == 'id' then id = item[2][i + 1] end
    if item[2][i] == 'body' then body = item[2][i + 1] end
  end
  -- A hostile writer may have put something else there, which must not become part of a key.
  if #id > 64 or not string.find(id, '^[0-9A-Za-z]+$') then
    id = ''
  end
  return id, body
end

-- A lane's entry by its stream id, if it is that very job's, else nil. An empty lane's stream is
-- deleted, and the clock may be set back: then stream ids are used again, for other jobs.
local function item_of(lane, entry, id)
  local item = redis.call('XRANGE', lane, entry, entry)[1]
  return item and job_of(item) == id and item or nil
end

-- What is paused: in the hash `server`, the field `paused` has a line for each pause, which begins
-- with a newline: SCOPE SINCE BY WHY, as in pauses.py. A scope is WHAT:LANE: 'all', 'read' or
-- 'write', and a spreadsheet's lane or '' for all of them; or it is this one:
local DRAIN = 'drain:'

-- The line of a scope, or nil.
local function paused_line(paused, scope)
  local start, stop = string.find(paused, '\n' .. scope .. ' ', 1, true)
  local since = stop and string.match(paused, '^(%d+) %S+ ', stop + 1)
  return since and #since <= 13 and string.match(paused, '^[^\n]+', start + 1) or nil
end

-- The line of the pause that holds up what a lane reads or writes, or nil.
local function pause_of(paused, lane, what)
  local book = string.match(lane, '^.*:lane:([%w_~-]+)') or ''
  for _, scope in ipairs({'all:', what .. ':', 'all:' .. book, what .. ':' .. book}) do
    local line = paused_line(paused, scope)
    if line then
      return line
    end
  end
end

-- Record who has asked for what: for the server's log, and the latest 20 once more in the field
-- `asked` of the hash `server` for observers, who may read no stream. There it is a line for each,
-- which begins with a newline: MILLISECONDS BY WHAT<tab>WHY, as in actions.py.
local function note_action(server, actions, by, what, why)
  local lines, asked = {}, redis.call('HGET', server, 'asked') or ''
  for line in string.gmatch(asked, '\n[^\n]+') do
    lines[#lines + 1] = line
  end
  lines[#lines + 1] = string.format('\n%.0f %s %s\t%s', now_ms(), by, what, why)
  -- Checks that Redis permits what comes last.
  redis.call('HSET', server, 'asked', asked)
  redis.call('XADD', actions, 'MAXLEN', '~', 1000, '*', 'by', by, 'what', what, 'why', why)
  redis.call('HSET', server, 'asked', table.concat(lines, '', math.max(1, #lines - 19)))
end

-- Whether a lane is that of a lock's holder, SPREADSHEET!NUMBER; see locks.lua. The lane of a
-- spreadsheet has no such sign in its name.
local function is_of_lock(lane)
  return string.find(lane, '!', 1, true)
end

-- The first waiting job of a lane: {entry, id, body, mark, jobs in the lane, now, epochs that ended
-- while they had it}, or false for an empty lane, after removing it from the active ones. An entry
-- that is not a job has the id ''.
local function head(lane, active, progress, deliveries, name, epoch)
  local first = redis.call('XRANGE', lane, '-', '+', 'COUNT', 1)[1]
  if not first then
    redis.call('DEL', lane)
    redis.call('SREM', active, name)
    return false
  end
  local id, body = job_of(first)
  local mark = redis.call('HGET', progress, id) or ''
  -- A job that two servers died with counts as delivered only on its turn; see deliver_suspect.lua.
  -- The job of a lock that is held is delivered to none.
  local deaths = mark == 'l' and 0 or hand_out(deliveries, id, epoch, 2)
  return {first[1], id, body, mark, redis.call('XLEN', lane), now_ms(), deaths}
end

-- The numbers of the formats of the queue that have had a server in this namespace.
local function known_formats(formats)
  local known = redis.pcall('HGET', formats, 'known')
  return type(known) == 'string' and known or ''
end

-- Number and key prefix of each format except the one whose `server` key is given. The first format
-- has no number in its keys. Any of these keys may hold something unexpected.
local function other_formats(formats, server)
  local shared, others = string.sub(formats, 1, -#'formats' - 1), {}
  for number in string.gmatch('1 ' .. known_formats(formats), '%d+') do
    local prefix = shared .. (number == '1' and '' or number .. ':')
    -- A longer number is not one of a format.
    if #number < 10 and prefix .. 'server' ~= server then
      others[#others + 1] = {number = number, prefix = prefix}
    end
  end
  return others
end

-- The description of a format's server, if its latest beat is no older than `grace` milliseconds.
local function server_within(prefix, grace, now)
  local at, about = unpack(redis.pcall('HMGET', prefix .. 'server', 'last_beat', 'description'))
  at = tonumber(at)
  return at and at <= now and now - at < grace and (about or '')
end

-- Take in ids of signed jobs that nobody waits for and that are answered, with the times that they
-- are signed with, and what the working server signs for the set that comes of it. What was signed
-- up to `floor` is dropped. Where something else is found than what that server has signed
-- `before`, somebody has changed it: then nothing stays for the next server to believe.
local function vouch_for(server, answered, vouched)
  local new, is_known = cjson.decode(vouched), false
  local found = redis.call('HGET', server, 'answered') or ''
  if found == new.signed then
    return
  end
  for _, known in ipairs(new.before) do
    is_known = is_known or known == found
  end
  if not is_known then
    -- Not deleted: run again, it would take what was changed for the beginning.
    redis.call('HSET', server, 'answered', '-')
    return
  end
  for i = 1, #new.ids, 2 do
    try('ZADD', answered, new.ids[i + 1], new.ids[i])
  end
  try('ZREMRANGEBYSCORE', answered, '-inf', new.floor)
  redis.call('HSET', server, 'answered', new.signed)
end

-- Release slots whose answer will never come after one more window: those in the sets from
-- KEYS[first] on, except slots of this epoch and of a server of another format that is alive.
local function let_go(first, formats, epoch, window, grace)
  local now, kept = now_ms(), {[epoch] = true}
  for _, other in ipairs(other_formats(formats, KEYS[1])) do
    local theirs = redis.pcall('HGET', other.prefix .. 'server', 'epoch')
    if type(theirs) == 'string' and server_within(other.prefix, grace, now) then
      kept[theirs] = true
    end
  end
  for i = first, #KEYS do
    for _, slot in ipairs(redis.call('ZRANGEBYSCORE', KEYS[i], 'inf', 'inf')) do
      if not kept[string.match(slot, '^[^/]*')] then
        redis.call('ZADD', KEYS[i], now + window, slot)
      end
    end
  end
end
