-- Shared by the scripts of this folder; put in front of each of them.

-- Redis's clock, in milliseconds. No client's and no server's clock matters.
local function now_ms()
  local now = redis.call('TIME')
  return now[1] * 1000 + math.floor(now[2] / 1000)
end

-- The entry of a job that was enqueued at a time, or '' where its lane does not hold it.
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

-- Jobs are remembered by the times of their enqueues, in a set that also has this, which is no
-- id: the time since which it has them all.
local SINCE = 'since:'

-- Whether a job that is not remembered may have been put in all the same, at a first try that did
-- not begin before a moment: that is forgotten by now, or Redis's clock was another one then.
local function may_be_forgotten(dedup, first, now)
  local since = tonumber(redis.call('ZSCORE', dedup, SINCE))
  if not since or since > now then
    since = now
    redis.call('ZADD', dedup, now, SINCE)
  end
  return first < since or first > now
end

-- Forget the jobs that were put in before a time.
local function forget(dedup, before)
  if before > tonumber(redis.call('ZSCORE', dedup, SINCE)) then
    redis.call('ZREMRANGEBYSCORE', dedup, '-inf', '(' .. before)
    redis.call('ZADD', dedup, before, SINCE)
  end
end

-- Whether the caller still is the server that works: its epoch is the newest one.
local function holds(server, epoch)
  return redis.call('HGET', server, 'epoch') == epoch
end

-- The list of lanes that wait for the server of an epoch. Each epoch has its own: a server that
-- was paused may still have a blocking read on the list of an epoch that has ended.
local function ready_list(ready, epoch)
  return ready .. ':' .. epoch
end

-- The name of a lane in an item of such a list, with or without a job; as in ready.py.
local function lane_of(told)
  local size, at = string.match(told, '^%z%d+%-%d+%z%w+%z(%d+)%z()')
  return size and string.sub(told, at, at + size - 1) or told
end

-- Bytes of a job that comes with the name of its lane, at the most.
local MOST_WITH_NAME = 16384

-- Such an item with a job, the only one of its lane.
local function with_job(name, entry, id, body)
  return table.concat({'', entry, id, #name, name .. body}, '\0')
end

-- Count the jobs that wait in the namespace. Whoever puts one in or takes one out says so in the
-- same script; where none waits, there is no key.
local function count(waiting, by)
  local many = redis.call('INCRBY', waiting, by)
  if many <= 0 then
    redis.call('DEL', waiting)
  end
  return many
end

-- A user's rights may be taken away and given back at any moment, also half of them, and Redis
-- refuses a script at the command that is not allowed: what ran before stays. So each script asks,
-- by commands that change nothing, for whatever would come too late to be refused; run again, it
-- leads to the same as if it had never been refused.

local function may_delete(key)
  -- No name of a lane and no id has a slash.
  redis.call('DEL', key .. '/')
end

local function may_note(dedup)
  redis.call('ZADD', dedup, 'XX', 0, '')
end

-- Take an entry out of a lane of so many, which is deleted with the last one.
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

-- Run a command on what may be a stranger's key: one of another type has nothing.
local function try(...)
  local found = redis.pcall(...)
  local refusal = type(found) == 'table' and found.err
  if refusal and not string.find(refusal, 'WRONGTYPE', 1, true) then
    error(refusal, 0)
  end
  return refusal and {} or found
end

-- Let a script that works the queue off grow a little in a Redis that is out of memory: Redis
-- refuses only the first write of a script, and never one that takes something away.
local function may_grow(key)
  redis.call('HDEL', key, '')
end

-- Whether a call with this mark may have written.
local function may_have_written(mark)
  local far = string.sub(mark, 1, 1)
  return far == 'w' or far == 'j'
end

-- Whether the server of an epoch has left what it had, in good order; see requeue.lua.
local function has_left(server, epoch)
  return redis.call('HGET', server, 'left') == epoch
end

-- Hand a job out under an epoch, unless so many others had it; return how many others did.
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

-- Id and body of an entry of a lane; '' where it has none.
local function job_of(item)
  local id, body = '', ''
  for i = 1, #item[2], 2 do
    if item[2][i] == 'id' then id = item[2][i + 1] end
    if item[2][i] == 'body' then body = item[2][i + 1] end
  end
  -- A hostile writer may have put something else there, under which nothing is to be kept.
  if #id > 64 or not string.find(id, '^[0-9A-Za-z]+$') then
    id = ''
  end
  return id, body
end

-- The entry of a lane at a place, where it is that very job's; else nil. An empty lane's stream is
-- deleted, and a clock may be set back: then places come again, with other jobs.
local function item_of(lane, entry, id)
  local item = redis.call('XRANGE', lane, entry, entry)[1]
  return item and job_of(item) == id and item or nil
end

-- The first waiting job of a lane: {entry, id, body, mark, jobs in the lane, now, epochs that
-- ended while they had it}, or false after taking an empty lane off the active ones. An entry
-- that is not a job has id ''.
local function head(lane, active, progress, deliveries, name, epoch)
  local first = redis.call('XRANGE', lane, '-', '+', 'COUNT', 1)[1]
  if not first then
    redis.call('DEL', lane)
    redis.call('SREM', active, name)
    return false
  end
  local id, body = job_of(first)
  local mark = redis.call('HGET', progress, id) or ''
  -- One that two servers have died with is handed out when its turn has come; see deliver_suspect.lua.
  local deaths = hand_out(deliveries, id, epoch, 2)
  return {first[1], id, body, mark, redis.call('XLEN', lane), now_ms(), deaths}
end

-- The numbers of the formats of the queue that have had a server in this namespace.
local function known_formats(formats)
  local known = redis.pcall('HGET', formats, 'known')
  return type(known) == 'string' and known or ''
end

-- Number and prefix of the keys of each format but that whose key of the server is named. The first
-- format has no number in its keys. What stands in any of them may be a stranger's.
local function other_formats(formats, server)
  local shared, others = string.sub(formats, 1, -#'formats' - 1), {}
  for number in string.gmatch('1 ' .. known_formats(formats), '%d+') do
    local prefix = shared .. (number == '1' and '' or number .. ':')
    -- A longer one is no number that anybody could read.
    if #number < 10 and prefix .. 'server' ~= server then
      others[#others + 1] = {number = number, prefix = prefix}
    end
  end
  return others
end

-- What the server of a format says of itself, if its latest beat was within so many milliseconds.
local function server_within(prefix, grace, now)
  local at, about = unpack(redis.pcall('HMGET', prefix .. 'server', 'last_beat', 'description'))
  at = tonumber(at)
  return at and at <= now and now - at < grace and (about or '')
end

-- Hold slots whose answer never comes for a window more: those in the sets from KEYS[first] on, but of
-- this epoch, and of a server of another format that is alive.
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
