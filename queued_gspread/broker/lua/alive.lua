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
--
-- Returns {milliseconds since the server's last beat or -1, about it, its id, 1 if Redis knows
-- the job, else 0, its signed generation or '', a list of {number, about its server} of the other
-- formats that have one while this one has none, now}.
local at, about, holder, generation, ended =
  unpack(redis.call('HMGET', KEYS[1], 'at', 'about', 'holder', 'generation', 'ended'))
local known = 1
if KEYS[3] then
  local waits = item_of(KEYS[3], ARGV[2], ARGV[3])
  known = (waits or redis.call('EXISTS', KEYS[4]) == 1) and 1 or 0
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
return {at and now - at or -1, about or '', holder or '', known, generation or '', others, now}
