-- Record the delivery of a job that two or more servers died with, now that its turn has come.
--
-- KEYS[1] server    hash: the working server and its epoch
-- KEYS[2] deliveries hash: job id -> the epochs under which it was delivered
-- ARGV[1] epoch     of the asking server
-- ARGV[2] id        of the job
--
-- Returns how many other epochs had it, or 'stale'.
may_grow(KEYS[1])
if not holds(KEYS[1], ARGV[1]) then
  return 'stale'
end
return hand_out(KEYS[2], ARGV[2], ARGV[1], math.huge)
