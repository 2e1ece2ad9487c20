-- Look up the working server and, if a job is named, whether Redis still knows it. If no server is
-- alive, look for servers of other queue formats.
--
-- KEYS[1] server    hash: the working server and its epoch
-- KEYS[2] formats   hash: which formats have had a server; absent to skip other formats
-- KEYS[3] lane      stream of the lane's jobs; absent if no job is named
-- KEYS[4] reply     stream with the job's reply
-- ARGV[1] grace     milliseconds without a beat after which a server counts as gone
-- ARGV[2] entry     of the job in the stream
-- ARGV[3] id        of the job
-- ARGV[4] asks      '1' if the caller asks why it waits, else ''
--
-- Returns {milliseconds since the server's last beat or -1, its description, its id, 1 if Redis
-- knows the job, else 0, the server's signed generation or '', a list of {number, description of
-- the server} for the other formats that have one while this one has none, how many jobs are ahead
-- of the job in its lane, 1 if these were counted or 0 if there may be fewer, the server's holdups
-- or '', the lock that the lane is under or '', now}.
local at, about, holder, generation, ended =
  unpack(redis.call('HMGET', KEYS[1], 'last_beat', 'description', 'holder', 'generation', 'ended'))
local known = 1
if KEYS[3] then
  local waits = item_of(KEYS[3], ARGV[2], ARGV[3])
  known = (waits or redis.call('EXISTS', KEYS[4]) == 1) and 1 or 0
end
local ahead, counted, holdups, lock = 0, 1, '', ''
if KEYS[3] and ARGV[4] == '1' then
  -- Redis returns an entry only with its body, so look at few.
  local most, bytes, place = 1000, 1000000, '-'
  while place and ahead < most and bytes > 0 do
    local item = redis.call('XRANGE', KEYS[3], place, '(' .. ARGV[2], 'COUNT', 1)[1]
    place = item and '(' .. item[1]
    if item then
      ahead, bytes = ahead + 1, bytes - #item[2][#item[2]]
    end
  end
  if place then
    ahead, counted = redis.call('XLEN', KEYS[3]) - 1, 0
  end
  -- A server of an earlier version beats without renewing its predecessor's holdups.
  local moment, said = string.match(redis.call('HGET', KEYS[1], 'holdups') or '', '^(%d+) (.*)')
  holdups = moment == at and said or ''
  local prefix, name = string.match(KEYS[3], '^(.*:)lane:([%w_~-]+)$')
  lock = prefix and redis.call('HGET', prefix .. 'locks', name) or ''
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
return {at and now - at or -1, about or '', holder or '', known, generation or '', others, ahead,
  counted, holdups, lock, now}
