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

-- Whether the caller still is the server that works: its epoch is the newest one.
local function holds(server, epoch)
  return redis.call('HGET', server, 'epoch') == epoch
end

-- The list of lanes that wait for the server of an epoch. Each epoch has its own: a server that
-- was paused may still have a blocking read on the list of an epoch that has ended.
local function ready_list(ready, epoch)
  return ready .. ':' .. epoch
end

-- Let a script that works the queue off grow a little in a Redis that is out of memory: Redis
-- refuses only the first write of a script, and never one that takes something away.
local function may_grow(key)
  redis.call('HDEL', key, '')
end

-- The first waiting job of a lane: {entry, id, body, mark, jobs in the lane, now}, or false
-- after taking an empty lane off the active ones. An entry that is not a job has id ''.
local function head(lane, active, started, name)
  local first = redis.call('XRANGE', lane, '-', '+', 'COUNT', 1)[1]
  if not first then
    redis.call('DEL', lane)
    redis.call('SREM', active, name)
    return false
  end
  local id, body = '', ''
  for i = 1, #first[2], 2 do
    if first[2][i] == 'id' then id = first[2][i + 1] end
    if first[2][i] == 'body' then body = first[2][i + 1] end
  end
  local mark = redis.call('HGET', started, id) or ''
  return {first[1], id, body, mark, redis.call('XLEN', lane), now_ms()}
end
