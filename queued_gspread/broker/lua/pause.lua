-- Pause what a scope names, or have the queue take no new calls.
--
-- KEYS[1] server    hash: the working server and its epoch; its field `paused` is as in common.lua
-- KEYS[2] actions   stream: what operators have asked for
-- ARGV[1] scope     as in common.lua
-- ARGV[2] by        who asks
-- ARGV[3] why
-- ARGV[4] what      in words, for the server's log
-- ARGV[5] most      how many pauses there may be
--
-- Returns 1, or 0 if there are as many as there may be. One of the same scope is replaced.
may_grow(KEYS[1])
local lines = {}
for line in string.gmatch(redis.call('HGET', KEYS[1], 'paused') or '', '\n[^\n]+') do
  if string.sub(line, 2, #ARGV[1] + 2) ~= ARGV[1] .. ' ' then
    lines[#lines + 1] = line
  end
end
if #lines >= tonumber(ARGV[5]) then
  return 0
end
lines[#lines + 1] = string.format('\n%s %.0f %s %s', ARGV[1], now_ms(), ARGV[2], ARGV[3])
-- First: what cannot be logged is not done.
note_action(KEYS[1], KEYS[2], ARGV[2], ARGV[4], ARGV[3])
redis.call('HSET', KEYS[1], 'paused', table.concat(lines))
return 1
