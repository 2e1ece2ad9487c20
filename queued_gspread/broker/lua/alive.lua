-- Look up the working server and, for each job that is named, whether Redis still knows it. If no
-- server is alive, look for servers of other queue formats.
--
-- KEYS[1] server    hash: the working server and its epoch
-- KEYS[2] formats   hash: which formats have had a server; absent to skip other formats
-- KEYS[...]         of each job: its lane, a stream of jobs, and the stream with its reply
-- ARGV[1] grace     milliseconds without a beat after which a server counts as gone
-- ARGV[...]         of each job: its entry in the stream, its id, and '1' if the caller asks why it
--                   waits, else ''
--
-- Returns {what is known of each job, milliseconds since the server's last beat or -1, its
-- description, its id, its signed generation or '', a list of {number, description of the server}
-- for the other formats that have one while this one has none, what is paused or '', now}. Of a
-- job, that is {1 if Redis knows it, else 0} and, for a caller that asks, how many jobs are ahead
-- of it in its lane, 1 if these were counted or 0 if there may be fewer, the server's holdups or
-- '', and the lock that the lane is under or ''.
local function ahead_of(lane, entry)
  -- Redis returns an entry only with its body, so look at few.
  local ahead, most, bytes, place = 0, 1000, 1000000, '-'
  while place and ahead < most and bytes > 0 do
    local item = redis.call('XRANGE', lane, place, '(' .. entry, 'COUNT', 1)[1]
    place = item and '(' .. item[1]
    if item then
      ahead, bytes = ahead + 1, bytes - #item[2][#item[2]]
    end
  end
  if place then
    return redis.call('XLEN', lane) - 1, 0
  end
  return ahead, 1
end
local at, about, holder, generation, ended, paused = unpack(redis.call('HMGET', KEYS[1],
  'last_beat', 'description', 'holder', 'generation', 'ended', 'paused'))
local jobs = {}
for place = 3, #KEYS, 2 do
  local first = 2 + (place - 3) / 2 * 3
  local entry, id, asks = ARGV[first], ARGV[first + 1], ARGV[first + 2]
  local waits = item_of(KEYS[place], entry, id)
  local job = {(waits or redis.call('EXISTS', KEYS[place + 1]) == 1) and 1 or 0}
  if asks == '1' then
    job[2], job[3] = ahead_of(KEYS[place], entry)
    -- A server of an earlier version beats without renewing its predecessor's holdups.
    local moment, said = string.match(redis.call('HGET', KEYS[1], 'holdups') or '', '^(%d+) (.*)')
    job[4] = moment == at and said or ''
    local prefix, name = string.match(KEYS[place], '^(.*:)lane:([%w_~-]+)$')
    job[5] = prefix and redis.call('HGET', prefix .. 'locks', name) or ''
  end
  jobs[#jobs + 1] = job
end
local now, grace, others = now_ms(), tonumber(ARGV[1]), {}
-- A server that ended a moment ago may be about to come back.
if KEYS[2] and now - math.max(tonumber(at) or 0, tonumber(ended) or 0) >= grace then
  for _, other in ipairs(other_formats(KEYS[2], KEYS[1])) do
    local description = server_within(other.prefix, grace, now)
    if description then
      others[#others + 1] = {other.number, description}
    end
  end
end
return {jobs, at and now - at or -1, about or '', holder or '', generation or '', others,
  paused or '', now}
