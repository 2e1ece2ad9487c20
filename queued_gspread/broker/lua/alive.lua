-- Ask for the server that works and, where a job is named, whether Redis still knows it. Where none
-- is alive, ask for servers of other formats of the queue.
--
-- KEYS[1] server    hash: who works, under which epoch
-- KEYS[2] formats   hash: which formats have had a server; absent where nobody asks for others
-- KEYS[3] lane      stream of the lane's jobs; absent where no job is named
-- KEYS[4] reply     stream with the job's reply
-- ARGV[1] grace     milliseconds without a sign of life after which none is alive
-- ARGV[2] entry     of the job in the stream
-- ARGV[3] id        of the job
-- ARGV[4] asks      '1' if its caller asks why it waits, else ''
--
-- Returns {milliseconds since the server's last beat or -1, about it, its id, 1 if Redis knows
-- the job, else 0, its signed generation or '', a list of {number, about its server} of the other
-- formats that have one while this one has none, how many jobs stand before it in its lane, 1 if these
-- were counted or 0 where there may be fewer, what the server says of what holds requests up or '',
-- now}.
local at, about, holder, generation, ended =
  unpack(redis.call('HMGET', KEYS[1], 'last_beat', 'description', 'holder', 'generation', 'ended'))
local known = 1
if KEYS[3] then
  local waits = item_of(KEYS[3], ARGV[2], ARGV[3])
  known = (waits or redis.call('EXISTS', KEYS[4]) == 1) and 1 or 0
end
local ahead, counted, holdups = 0, 1, ''
if KEYS[3] and ARGV[4] == '1' then
  -- Redis shows no entry without its body, so few are looked at.
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
  -- A server of an earlier version beats and leaves there what one before it has said.
  local moment, said = string.match(redis.call('HGET', KEYS[1], 'holdups') or '', '^(%d+) (.*)')
  holdups = moment == at and said or ''
end
local now, grace, others = now_ms(), tonumber(ARGV[1]), {}
-- One that has ended a moment ago may be about to come back.
if KEYS[2] and now - math.max(tonumber(at) or 0, tonumber(ended) or 0) >= grace then
  for _, other in ipairs(other_formats(KEYS[2], KEYS[1])) do
    local told = server_within(other.prefix, grace, now)
    if told then
      others[#others + 1] = {other.number, told}
    end
  end
end
return {at and now - at or -1, about or '', holder or '', known, generation or '', others, ahead,
  counted, holdups, now}
